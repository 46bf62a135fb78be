import type { RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { UpdaterParts } from './updater-parts.ts'

/** Counts since the process began: what a scrape shows. The exact ones are in the partitions' meta. */
export interface UpdaterStats {
  /** Batches committed. */
  readonly batches: number
  readonly records: Readonly<Record<StateFamily, Readonly<Record<RecordOutcome, number>>>>
  /** How often the stored position was elsewhere: after a crash, a rebalance or a fail-over. */
  readonly moves: Readonly<Record<'SKIPPED' | 'PARTIAL' | 'ROLLBACK', number>>
  readonly cacheBytes: number
  readonly cacheHits: number
  readonly cacheReads: number
  readonly erasedUsers: number
  /** Partitions that stand still until an operator adopts a log, and the records that wait for it. */
  readonly replacedPartitions: number
  readonly waitingForAdoption: number
}

/** How the updater is. */
export interface UpdaterHealth {
  readonly ok: boolean
  /** For people: which partition stands still, and why. */
  readonly reasons: readonly string[]
}

/** The log itself retries an append for this long. */
const silentAfterMs = 10_000

/** Whether every owned partition can be folded, and why not. */
export function readHealth(parts: UpdaterParts): UpdaterHealth {
  const { following, progress } = parts
  const halted = following.reasons()
  const others = [...progress.failures].filter(([, reason]) => !halted.includes(reason))
  const silence = findSilence(parts)
  const reasons = [
    ...(silence === null ? [] : [silence]),
    ...halted,
    ...others.map(([partition, reason]) => `${partition}: ${reason}`),
  ]
  return { ok: reasons.length === 0, reasons }
}

/** Why the updater cannot know what waits: the log or the store does not answer. null: they do, or the silence is short. */
function findSilence({ config, progress, ending, clock }: UpdaterParts): string | null {
  const { logCheckMs } = config.updater
  const { lookedAtMs, lookFailure } = progress
  if (lookedAtMs === null || logCheckMs === 0 || ending.signal.aborted) return null
  const quietMs = clock.now() - lookedAtMs
  if (quietMs <= 2 * logCheckMs + silentAfterMs) return null
  return `log or store have not answered for ${Math.round(quietMs / 1000)} s: ${lookFailure || 'no answer came'}`
}

/** Counts since the process began. */
export function readStats({ progress, users, pins, erasures, following }: UpdaterParts): UpdaterStats {
  const cached = [users.cache.hits(), pins.cache.hits()] as const
  return {
    batches: progress.batches,
    records: progress.counted,
    moves: progress.moves,
    cacheBytes: users.cache.bytes() + pins.cache.bytes(),
    cacheHits: cached[0].hits + cached[1].hits,
    cacheReads: cached[0].reads + cached[1].reads,
    erasedUsers: erasures.size(),
    replacedPartitions: following.replaced(),
    waitingForAdoption: following.waiting(),
  }
}
