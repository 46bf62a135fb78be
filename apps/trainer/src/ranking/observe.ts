import type { Clock } from '@freshet/domain/clock'
import type { Metrics } from '@freshet/service/metrics'
import type { RankingJob } from './ranking-job.ts'

/** Sets the gauges of the job before every scrape. */
export function observeRanking(job: RankingJob, clock: Pick<Clock, 'now'>, metrics: Metrics): void {
  const trainings = metrics.gauge('freshet_ranking_trainings')
  const seconds = metrics.gauge('freshet_ranking_training_seconds')
  const rows = metrics.gauge('freshet_ranking_window_rows')
  const leftOut = metrics.gauge('freshet_ranking_left_out_rows')
  const age = metrics.gauge('freshet_ranking_model_age_seconds')
  const reported = new Set<string>()
  metrics.beforeScrape(() => {
    const stats = job.stats()
    for (const [outcome, count] of stats.outcomes) trainings.set({ outcome }, count)
    seconds.set({}, stats.seconds ?? NaN)
    rows.set({}, stats.rows)
    // A reason that no longer holds stays, with 0 rows.
    for (const reason of [...reported, ...stats.leftOut.keys()]) leftOut.set({ reason }, stats.leftOut.get(reason) ?? 0)
    for (const reason of stats.leftOut.keys()) reported.add(reason)
    age.set({}, stats.newestAtMs === null ? NaN : (clock.now() - stats.newestAtMs) / 1000)
  })
}
