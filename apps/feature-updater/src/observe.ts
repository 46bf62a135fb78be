import { recordOutcomes } from '@freshet/contracts/codecs/partition-meta'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import type { Component } from '@freshet/service/service'
import type { Metrics } from '@freshet/service/metrics'
import { createProgressWatchdog } from '@freshet/service/watchdog'
import type { UpdaterConfig } from './config.ts'
import type { FoldObserver } from './fold-partition.ts'
import type { Updater } from './updater.ts'

/** What an updater reports to as it works: for `createUpdater`. */
export function updaterInstruments(metrics: Metrics): {
  readonly observer: FoldObserver
  readonly onCanary: (stage: StateFamily, ms: number, isSeen: boolean) => void
} {
  const canaries = metrics.counter('freshet_updater_canaries_total')
  const canarySeconds = metrics.histogram('freshet_updater_canary_seconds')
  return {
    observer: countingObserver(metrics),
    onCanary: (stage, ms, isSeen) => {
      canarySeconds.observe({ stage }, ms / 1000)
      canaries.inc({ stage, outcome: isSeen ? 'seen' : 'missed' })
    },
  }
}

/** A running updater's gauges, and a watchdog that makes the process count as dead while records wait and none is folded. */
export function watchUpdater(
  updater: Updater,
  { clock, config, metrics }: { readonly clock: Clock; readonly config: UpdaterConfig; readonly metrics: Metrics },
): Component {
  const watchdog = createProgressWatchdog({
    clock,
    // What waits for an operator to adopt a log, a restart would not fold.
    lag: async () => (await updater.lag()) - updater.stats().waitingForAdoption,
    done: () => updater.stats().batches,
    stalledAfterMs: config.updater.stalledAfterMs,
    checkEveryMs: 5_000,
  })
  const watching = new AbortController()
  void watchdog.run(watching.signal)
  observe(updater, metrics)
  return { name: 'watchdog', notAlive: watchdog.notAlive, drain: async () => watching.abort() }
}

function countingObserver(metrics: Metrics): FoldObserver {
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

function observe(updater: Updater, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_updater_lag_records')
  const bytes = metrics.gauge('freshet_updater_cache_bytes')
  const hits = metrics.gauge('freshet_updater_cache_hit_share')
  const failing = metrics.gauge('freshet_updater_failing_partitions')
  const replaced = metrics.gauge('freshet_updater_replaced_partitions')
  metrics.beforeScrape(
    async () => lag.set(await updater.lag()),
    () => lag.set(NaN),
  )
  metrics.beforeScrape(() => {
    const stats = updater.stats()
    bytes.set(stats.cacheBytes)
    hits.set(stats.cacheReads === 0 ? 0 : stats.cacheHits / stats.cacheReads)
    failing.set(updater.health().reasons.length)
    replaced.set(stats.replacedPartitions)
  })
}
