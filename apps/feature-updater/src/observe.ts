import { recordOutcomes } from '@freshet/contracts/codecs/partition-meta'
import type { Metrics } from '@freshet/service/metrics'
import type { FoldObserver } from './fold-partition.ts'
import type { Updater } from './updater.ts'

/** Counts what was folded as it is committed. */
export function countingObserver(metrics: Metrics): FoldObserver {
  const records = metrics.counter('freshet_updater_records_total')
  const moves = metrics.counter('freshet_updater_moves_total')
  return {
    committed({ topic, outcomes }) {
      const stage = topic === 'engagements.v1' ? 'user' : 'pin'
      for (const outcome of recordOutcomes)
        if (outcomes[outcome] > 0) records.inc({ stage, outcome }, outcomes[outcome])
    },
    moved({ topic, kind }) {
      moves.inc({ topic, kind })
    },
  }
}

/** Sets the gauges before every scrape. */
export function observe(updater: Updater, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_updater_lag_records')
  const bytes = metrics.gauge('freshet_updater_cache_bytes')
  const hits = metrics.gauge('freshet_updater_cache_hit_share')
  const failing = metrics.gauge('freshet_updater_failing_partitions')
  metrics.beforeScrape(async () => {
    const stats = updater.stats()
    bytes.set(stats.cacheBytes)
    hits.set(stats.cacheReads === 0 ? 0 : stats.cacheHits / stats.cacheReads)
    failing.set(updater.health().reasons.length)
    lag.set(await updater.lag())
  })
}
