import type { Metrics } from '@freshet/service/metrics'
import type { RunningRanker } from './ranker.ts'

/** Sets the gauges of the views and of the model before every scrape. */
export function observe(ranker: RunningRanker, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_view_lag_records')
  const rows = metrics.gauge('freshet_view_rows')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  const serving = metrics.gauge('freshet_ranker_model')
  const swaps = metrics.gauge('freshet_ranker_model_swaps')
  metrics.beforeScrape(
    async () => lag.set({ service: 'ranker' }, await ranker.lag()),
    () => lag.set({ service: 'ranker' }, NaN),
  )
  metrics.beforeScrape(() => {
    const { version, plan, swapped, refused } = ranker.model()
    serving.reset()
    serving.set({ model: version, plan }, 1)
    swaps.set({ outcome: 'swapped' }, swapped)
    swaps.set({ outcome: 'refused' }, refused)
  })
  metrics.beforeScrape(() => {
    const stats = ranker.stats()
    rows.set({ service: 'ranker', view: 'pins' }, stats.pins)
    rows.set({ service: 'ranker', view: 'states' }, stats.states)
    rejected.set({ service: 'ranker', reason: 'CAP_REACHED' }, stats.refused)
    for (const [reason, count] of Object.entries(stats.rejected)) rejected.set({ service: 'ranker', reason }, count)
  })
}
