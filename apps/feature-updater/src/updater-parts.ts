import { recordOutcomes, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import type { EventLog, LogReader, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { familyTopic, firstGeneration, stateScope, type StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import type { OwnPinState } from '@freshet/domain/pin-state'
import { createCanary, type Canary } from './canary.ts'
import { checkedConfig, type UpdaterConfig } from './config.ts'
import { createErasures, type Erasures } from './erasures.ts'
import { createFollowing, type Following } from './following.ts'
import { createPartitionFolder, type FoldObserver, type PartitionFolder } from './fold-partition.ts'
import { createPinStage } from './fold-pins.ts'
import { createUserStage } from './fold-users.ts'
import { createOwnedBoards, type OwnedBoards } from './owned-boards.ts'
import { createRekeying } from './rekeying.ts'
import type { Stage } from './stage.ts'

/** What an updater works with. `onError` receives every error that the updater retries. */
export interface UpdaterOptions {
  readonly log: EventLog
  readonly store: StateStore
  readonly clock: Clock
  readonly config: UpdaterConfig
  readonly observer?: FoldObserver
  /** Receives the time from a canary's acknowledgement until it could be read or was given up, milliseconds. */
  readonly onCanary?: (family: StateFamily, ms: number, isSeen: boolean) => void
  readonly onError?: (error: Error, at?: TopicPartition) => void
}

/** What changes while an updater runs. */
export interface UpdaterProgress {
  readonly generations: Record<StateFamily, string>
  readonly counted: Readonly<Record<StateFamily, Record<RecordOutcome, number>>>
  readonly moves: Record<'SKIPPED' | 'PARTIAL' | 'ROLLBACK', number>
  /** Why a partition, or the group, cannot continue. */
  readonly failures: Map<string, string>
  /** Partitions of `engagements.v1` that have ever folded a record. */
  readonly everFolded: Set<number>
  batches: number
  badAcceptedUntilMs: number
  /** When the log and the store last answered together; null: the updater has not asked yet. */
  lookedAtMs: number | null
  lookFailure: string
  /** Number of partitions of `engagements.v1`; 0: not known yet. */
  partitions: number
  /** Number of partitions of `pin-engagements.v1`; 0: not known yet. */
  pinPartitions: number
}

/** The parts of an updater, which its functions share. */
export interface UpdaterParts extends Omit<UpdaterOptions, 'onError'> {
  readonly onError: (error: Error, at?: TopicPartition) => void
  readonly progress: UpdaterProgress
  readonly following: Following
  readonly erasures: Erasures
  readonly ownedBoards: OwnedBoards
  readonly canary: Canary
  readonly users: PartitionFolder<number>
  readonly pins: PartitionFolder<OwnPinState>
  readonly readers: LogReader[]
  /** Aborted when the updater stops. */
  readonly ending: AbortController
}

/** The parts of an updater that has not started. `askFollowed` asks which log is followed. */
export function createParts(options: UpdaterOptions, askFollowed: () => Promise<void>): UpdaterParts {
  const { log, store, clock } = options
  const config = checkedConfig(options.config)
  const ending = new AbortController()
  const onError: NonNullable<UpdaterOptions['onError']> = (error, at) => {
    // Reads that the end of the updater breaks off are no failures.
    if (!ending.signal.aborted || error !== ending.signal.reason) options.onError?.(error, at)
  }
  const progress = newProgress()
  const partitions = () => progress.partitions
  const scopeOf = (topic: string): string => {
    const family = familyOf(topic)
    return stateScope(family, progress.generations[family])
  }
  const following = createFollowing({ log, store, clock, scopeOf })
  const erasures = createErasures({ log, store, partitions, onError })
  const ownedBoards = createOwnedBoards({
    ...{ log, onError, maxBatchRecords: config.updater.maxBatchRecords },
    isErased: (userId) => erasures.erasedAtMs(userId) !== null,
  })
  const epoch = () => following.of(familyTopic.user).epoch
  const onEnd = options.onCanary ?? (() => undefined)
  const folding: Folding = { options: { ...options, config }, progress, following, erasures, askFollowed }
  const rekeying = createRekeying(config.updater.onward, () => progress.pinPartitions)
  return {
    ...options,
    config,
    onError,
    progress,
    following,
    erasures,
    ownedBoards,
    canary: createCanary({ log, store, clock, partitions, epoch, onEnd }),
    users: createFolder(folding, createUserStage(config.fold, erasures.erasedAtMs, rekeying)),
    pins: createFolder(folding, createPinStage(config.fold)),
    readers: [],
    ending,
  }
}

interface Folding extends Pick<UpdaterParts, 'progress' | 'following' | 'erasures'> {
  readonly options: UpdaterOptions
  readonly askFollowed: () => Promise<void>
}

function createFolder<Parsed extends { readonly kind: string }, State>(
  { options, progress, following, erasures, askFollowed }: Folding,
  stage: Stage<Parsed, State>,
): PartitionFolder<State> {
  return createPartitionFolder({
    stage,
    log: options.log,
    store: options.store,
    config: options.config.updater,
    generation: () => progress.generations[stage.family],
    followed: () => following.of(familyTopic[stage.family]),
    askFollowed,
    sendOnward: true,
    badAcceptedUntilMs: () => progress.badAcceptedUntilMs,
    observer: {
      committed(commit) {
        progress.batches++
        for (const outcome of recordOutcomes) progress.counted[stage.family][outcome] += commit.outcomes[outcome]
        options.observer?.committed(commit)
      },
      moved(move) {
        progress.moves[move.kind]++
        if (stage.family === 'user') erasures.doubt(move.partition)
        options.observer?.moved(move)
      },
    },
  })
}

/** The family that a folded topic belongs to. */
export function familyOf(topic: string): StateFamily {
  return topic === 'engagements.v1' ? 'user' : 'pin'
}

/** The folder of a family. */
export function folderFor({ users, pins }: UpdaterParts, family: StateFamily): Pick<PartitionFolder<unknown>, 'drop'> {
  return family === 'user' ? users : pins
}

function newProgress(): UpdaterProgress {
  return {
    generations: { user: firstGeneration, pin: firstGeneration },
    counted: { user: noOutcomes(), pin: noOutcomes() },
    moves: { SKIPPED: 0, PARTIAL: 0, ROLLBACK: 0 },
    failures: new Map(),
    everFolded: new Set(),
    batches: 0,
    badAcceptedUntilMs: 0,
    lookedAtMs: null,
    lookFailure: '',
    partitions: 0,
    pinPartitions: 0,
  }
}

function noOutcomes(): Record<RecordOutcome, number> {
  return { applied: 0, duplicate: 0, late: 0, deadLettered: 0, erased: 0, tombstone: 0, lost: 0, handover: 0 }
}
