import type { ContractError } from '@freshet/contracts/errors'
import type { LogBatch, EventLog } from '@freshet/contracts/ports/event-log'
import type { Attribution, Blender, CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import type { Clock, Random } from '@freshet/domain/clock'
import type { EngineClock } from '@freshet/pipeline/clock'
import type { PinVersionsStats } from '@freshet/contracts/pin-versions'
import type { PinCardsStats } from './cards/pin-cards.ts'
import type { BlenderConfig } from './config.ts'
import type { FeedObserver } from './feed-observer.ts'
import type { PinFactsStats } from './pin-facts.ts'
import type { PinVectors } from './pin-vectors.ts'

/** Dependencies of the blender. */
export interface BlenderOptions {
  readonly store: StateStore
  readonly log: EventLog
  readonly candidates: CandidateService
  /** Without `attribute`, explanations have no contributions of features. */
  readonly ranker: Ranker & Partial<Attribution>
  readonly clock: Clock
  /** Measures and bounds stages. It does not influence answers in any other way. */
  readonly engineClock: EngineClock
  readonly random: Random
  readonly config: BlenderConfig
  readonly observer: FeedObserver
  /** Called when another log has replaced the log. If present, the blender checks the log's identity regularly. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** A running blender, with the state that it keeps itself. */
export interface RunningBlender extends Blender {
  /** Folds a batch of the catalogue. The reader calls it; a lockstep run calls it directly. */
  fold(batch: LogBatch): void
  /** Starts to read the catalogue and to refresh the popular pins. A lockstep run does not call it. */
  start(): Promise<void>
  /** Why the blender is not ready. null: it has read the catalogue up to its end at the start, and it can fill a feed. */
  unready(): string | null
  /** One line about a problem that does not stop answers; null: no problem. */
  warning(): string | null
  /** Makes a feed that is neither recorded nor observed, so that the first feeds of users do not pay for what only the first ones cost. */
  warmUp(timeoutMs: number): Promise<void>
  /** Number of catalogue records that it has not read yet. */
  lag(): Promise<number>
  /** Refreshes the popular pins now. A running blender does this regularly. */
  refreshPopular(timeoutMs: number): Promise<void>
  /** Resolves when every feed is in `feeds-served.v1` or was dropped. */
  flush(): Promise<void>
  stats(): {
    readonly facts: PinFactsStats
    readonly vectors: ReturnType<PinVectors['stats']>
    readonly cards: PinCardsStats
    readonly versions: PinVersionsStats
    readonly rememberedUsers: number
    readonly unwrittenFeeds: number
    readonly inFlight: number
    /** Of those in flight, the requests whose work has not begun. */
    readonly waitingForTurn: number
  }
  stop(): Promise<void>
}
