import type { Metrics } from '@freshet/service/metrics'
import type { JoinerJob } from './joiner-job.ts'

/** Sets the gauges of the job before every scrape. */
export function observeJoiner(job: JoinerJob, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_joiner_lag_records')
  const positions = metrics.gauge('freshet_joiner_positions')
  const engagements = metrics.gauge('freshet_joiner_engagements')
  const rows = metrics.gauge('freshet_joiner_rows')
  const feeds = metrics.gauge('freshet_joiner_waiting_feeds')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  metrics.beforeScrape(
    async () => lag.set({}, await job.lag()),
    () => lag.set({}, NaN),
  )
  metrics.beforeScrape(() => {
    const stats = job.stats()
    if (stats === null) return
    const { waiting, dropped, unmatched } = stats
    for (const [outcome, count] of Object.entries({ rows: stats.rows, waiting: waiting.positions, ...dropped })) {
      positions.set({ outcome }, count)
    }
    const acts = { matched: stats.matched, late: stats.late, waiting: waiting.actions, ...unmatched }
    for (const [outcome, count] of Object.entries(acts)) engagements.set({ outcome }, count)
    const made = { ...stats.labels, corrections: stats.corrections, unshown: stats.unshown }
    for (const [label, count] of Object.entries(made)) rows.set({ label }, count)
    feeds.set({ where: 'memory' }, waiting.feeds - waiting.spilled)
    feeds.set({ where: 'file' }, waiting.spilled)
    rejected.set({ service: 'trainer', reason: 'joiner CODEC_INVALID' }, stats.rejected)
  })
}
