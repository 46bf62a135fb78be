import { recordOutcomes } from '@freshet/contracts/codecs/partition-meta'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import type { Component } from '@freshet/service/service'
import type { Metrics } from '@freshet/service/metrics'
import { createProgressWatchdog } from '@freshet/service/watchdog'
import type { UpdaterConfig } from './config.ts'
import { isCanary } from './canary.ts'
import type { FoldObserver } from './fold-partition.ts'
import type { Updater } from './updater.ts'

/** What an updater reports to as it works: for `createUpdater`. */
export function updaterInstruments(
  metrics: Metrics,
  clock: Pick<Clock, 'now'>,
): {
  readonly observer: FoldObserver
  readonly onCanary: (stage: StateFamily, ms: number, isSeen: boolean) => void
} {
  const canaries = metrics.counter('freshet_updater_canaries_total')
  const canarySeconds = metrics.histogram('freshet_updater_canary_seconds')
  return {
    observer: countingObserver(metrics, clock),
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

/** Sets the gauge of Redis's memory before every scrape, from the last look at its eviction policy. */
export function observeStoreMemory(store: { memoryShare(): number | null }, metrics: Metrics): void {
  let isShown = false
  metrics.beforeScrape(() => {
    const share = store.memoryShare()
    // Without a limit there must be no gauge, and a gauge without labels exists from its creation on.
    isShown ||= share !== null
    // A limit that was taken away: the last value would stay, and an alarm with it.
    if (isShown) metrics.gauge('freshet_store_memory_used_ratio').set(share ?? NaN)
  })
}

function countingObserver(metrics: Metrics, clock: Pick<Clock, 'now'>): FoldObserver {
  const counted = metrics.counter('freshet_updater_records_total')
  const unaccountedFor = metrics.counter('freshet_updater_unaccounted_records_total')
  const seconds = metrics.histogram('freshet_updater_event_seconds')
  const moves = metrics.counter('freshet_updater_moves_total')
  // A counter that appears with its first loss has no increase: rules need the 0 before it.
  for (const stage of ['user', 'pin'] as const) {
    for (const outcome of recordOutcomes) counted.inc({ stage, outcome }, 0)
    unaccountedFor.inc({ stage }, 0)
  }
  const secondsOf = { user: seconds.labels({ stage: 'user' }), pin: seconds.labels({ stage: 'pin' }) }
  return {
    committed({ topic, outcomes, records, unaccounted }) {
      const stage = topic === 'engagements.v1' ? 'user' : 'pin'
      for (const outcome of recordOutcomes)
        if (outcomes[outcome] > 0) counted.inc({ stage, outcome }, outcomes[outcome])
      if (unaccounted > 0) unaccountedFor.inc({ stage }, unaccounted)
      const nowMs = clock.now()
      for (const { key, appendedAtMs } of records)
        if (!isCanary(key)) secondsOf[stage].observe(Math.max(0, nowMs - appendedAtMs) / 1000)
    },
    moved({ topic, kind }) {
      moves.inc({ topic, kind })
    },
  }
}

function observe(updater: Updater, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_updater_lag_records')
  const bytes = metrics.gauge('freshet_updater_cache_bytes')
  const hits = metrics.gauge('freshet_updater_cache_hit_ratio')
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
