import { recordOutcomes, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { BatchVerdict, EventLog, LogBatch, LogReader, TopicPartition } from '@freshet/contracts/ports/event-log'
import { epochIn, positionIn } from '@freshet/contracts/followed-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import {
  familyTopic,
  badAcceptedPointer,
  firstGeneration,
  servingPointer,
  stateScope,
  type StateFamily,
} from '@freshet/contracts/scopes'
import type { TopicName } from '@freshet/contracts/topics'
import type { Clock } from '@freshet/domain/clock'
import { partitionOf } from '@freshet/domain/partition'
import { createCanary } from './canary.ts'
import { checkedConfig, type UpdaterConfig } from './config.ts'
import { createErasures, type Erasures } from './erasures.ts'
import { createFollowing, isFoldedTopic } from './following.ts'
import { createPartitionFolder, type FoldObserver, type PartitionFolder } from './fold-partition.ts'
import { createPinStage } from './fold-pins.ts'
import { createUserStage } from './fold-users.ts'
import { createRekeying } from './rekeying.ts'

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

/** Folds engagements into user state and, re-keyed, into pin state. */
export interface Updater {
  /** Folds a batch of `engagements.v1`. For use without `start`, in lockstep, too. */
  handleUserBatch(batch: LogBatch, signal?: AbortSignal): Promise<BatchVerdict>
  /** Folds a batch of `pin-engagements.v1`. */
  handlePinBatch(batch: LogBatch, signal?: AbortSignal): Promise<BatchVerdict>
  /** Takes in a batch of `erasures.v1` and sends the tombstones that follow from it. */
  handleErasureBatch(batch: LogBatch): Promise<BatchVerdict>
  /** Where a partition's batches go on: the stored position; null: at the beginning. */
  startAt(at: TopicPartition): Promise<number | null>
  /** Forgets what is cached of a partition that was lost. */
  revoke(at: TopicPartition): void
  /** Looks whether the partitions owned still belong to the log that there is. */
  look(): Promise<void>
  /** Asks which generations serve, a change of which drops everything cached, and until when bad records are accepted. */
  refreshPointers(): Promise<void>
  /** Loads the erasures, then subscribes to both stages' topics, or to those given: an evaluation of candidates needs no pin state. */
  start(topics?: readonly TopicName[]): Promise<void>
  /** Stops reading; resolves when the batches under way have ended. */
  stop(): Promise<void>
  health(): UpdaterHealth
  /** Why it should not count as ready, in one line; null: it is. */
  notReady(): string | null
  stats(): UpdaterStats
  /** Records that wait in the partitions owned. */
  lag(): Promise<number>
}

/** The log's own patience with an append is of this length. */
const silentAfterMs = 10_000

const stageTopics: readonly TopicName[] = ['engagements.v1', 'pin-engagements.v1']

/** An updater over a log and a store. `onError` hears of everything that is being retried. */
export function createUpdater(options: {
  readonly log: EventLog
  readonly store: StateStore
  readonly clock: Clock
  readonly config: UpdaterConfig
  readonly observer?: FoldObserver
  /** Told how long a canary took from its acknowledgement to being readable, milliseconds, or until it was given up. */
  readonly onCanary?: (family: StateFamily, ms: number, isSeen: boolean) => void
  readonly onError?: (error: Error, at?: TopicPartition) => void
}): Updater {
  const { log, store, clock } = options
  const config = checkedConfig(options.config)
  const onError = options.onError ?? (() => undefined)
  const generations: Record<StateFamily, string> = { user: firstGeneration, pin: firstGeneration }
  const counted = { user: noOutcomes(), pin: noOutcomes() }
  const moves = { SKIPPED: 0, PARTIAL: 0, ROLLBACK: 0 }
  const failures = new Map<string, string>()
  const readers: LogReader[] = []
  const ending = new AbortController()
  let batches = 0
  let badAcceptedUntilMs = 0
  /** When log and store last answered together; null: they have not been asked yet. */
  let lookedAtMs: number | null = null
  let lookFailure = ''
  let partitions = 0
  let pinPartitions = 0

  const scopeOf = (topic: string): string => {
    const family = familyOf(topic)
    return stateScope(family, generations[family])
  }
  const following = createFollowing({ log, store, clock, scopeOf })

  const erasures: Erasures = createErasures({ log, store, partitions: () => partitions, onError })

  const everFolded = new Set<number>()
  const canary = createCanary({
    log,
    store,
    clock,
    partitions: () => partitions,
    epoch: () => following.of(familyTopic.user).epoch,
    onEnd: options.onCanary ?? (() => undefined),
  })

  const folderOf = <Parsed extends { readonly kind: string }, State>(
    stage: Parameters<typeof createPartitionFolder<Parsed, State>>[0]['stage'],
  ): PartitionFolder<State> =>
    createPartitionFolder({
      stage,
      log,
      store,
      config: config.updater,
      generation: () => generations[stage.family],
      followed: () => following.of(familyTopic[stage.family]),
      askFollowed: () => updater.refreshPointers(),
      sendOnward: true,
      badAcceptedUntilMs: () => badAcceptedUntilMs,
      observer: {
        committed(commit) {
          batches++
          for (const outcome of recordOutcomes) counted[stage.family][outcome] += commit.outcomes[outcome]
          options.observer?.committed(commit)
        },
        moved(move) {
          moves[move.kind]++
          if (stage.family === 'user') erasures.doubt(move.partition)
          options.observer?.moved(move)
        },
      },
    })
  const rekeying = createRekeying(config.updater.onward, () => pinPartitions)
  const users = folderOf(createUserStage(config.fold, erasures.erasedAtMs, rekeying))
  const pins = folderOf(createPinStage(config.fold))
  const folderFor = (topic: string) => (topic === 'engagements.v1' ? users : pins)
  const familyOf = (topic: string): StateFamily => (topic === 'engagements.v1' ? 'user' : 'pin')

  const handled = async (batch: LogBatch, work: () => Promise<BatchVerdict>): Promise<BatchVerdict> => {
    const key = `${batch.topic}/${batch.partition}`
    try {
      following.check(batch)
      const verdict = await work()
      failures.delete(key)
      return verdict
    } catch (error) {
      failures.set(key, (error as Error).message)
      throw error
    }
  }

  const foldUsers = async (batch: LogBatch, signal: AbortSignal | undefined): Promise<BatchVerdict> => {
    if (pinPartitions === 0) pinPartitions = await log.partitionCount('pin-engagements.v1', { signal })
    const verdict = await users.handle(batch, signal)
    await erasures.clearDoubt(batch.partition, stateScope('user', generations.user))
    return verdict
  }

  const updater: Updater = {
    handleUserBatch: (batch, signal) => handled(batch, () => foldUsers(batch, signal)),
    handlePinBatch: (batch, signal) => handled(batch, () => pins.handle(batch, signal)),
    async handleErasureBatch(batch) {
      if (partitions === 0) partitions = await log.partitionCount('engagements.v1', ending)
      const erased = erasures.fold(batch.records)
      for (const userId of erased) erasures.doubt(partitionOf(userId, partitions))
      await erasures.forget(erased, stateScope('user', generations.user))
    },
    async startAt({ topic, partition }) {
      folderFor(topic).drop(partition)
      if (topic === 'engagements.v1') erasures.doubt(partition)
      await updater.refreshPointers()
      const [found] = await following.look([{ topic, partition }])
      following.check({ topic, partition })
      const stored = found?.stored ?? null
      if (stored === null) return null
      // Of a log before the one followed: the first batch adopts this one.
      return epochIn(stored) === following.of(topic).epoch ? positionIn(stored) : null
    },
    revoke({ topic, partition }) {
      folderFor(topic).drop(partition)
      failures.delete(`${topic}/${partition}`)
      following.forget({ topic, partition })
    },
    async look() {
      const owned = readers.flatMap((reader) => reader.assigned()).filter(({ topic }) => isFoldedTopic(topic))
      if (owned.length === 0) await log.ends(familyTopic.user, ending)
      await following.look(owned)
      lookedAtMs = clock.now()
    },
    async refreshPointers() {
      badAcceptedUntilMs = Number((await store.pointer(badAcceptedPointer, ending)) ?? 0)
      // An operator has spoken: what was found before no longer holds.
      const adopted = await following.refresh()
      if (adopted.length > 0) await updater.look()
      for (const topic of adopted) for (const reader of readers) reader.restart(topic)
      for (const family of ['user', 'pin'] as const) {
        const serving = (await store.pointer(servingPointer(family), ending)) ?? firstGeneration
        if (serving === generations[family]) continue
        generations[family] = serving
        const folder = family === 'user' ? users : pins
        const count = await log.partitionCount(familyTopic[family], ending)
        for (let partition = 0; partition < count; partition++) {
          folder.drop(partition)
          if (family === 'user') erasures.doubt(partition)
        }
      }
    },
    async start(topics = stageTopics) {
      partitions = await log.partitionCount('engagements.v1', ending)
      await updater.refreshPointers()
      await loadErasures()
      readers.push(
        await log.readGroup({
          group: config.updater.group,
          topics,
          maxBatchRecords: config.updater.maxBatchRecords,
          startAt: updater.startAt,
          onRevoked: (lost) => {
            lost.forEach(updater.revoke)
          },
          onError: (error, at) => {
            if (isContractError(error, 'LOG_MEMBER_REPLACED')) failures.set(config.updater.group, error.message)
            onError(error, at)
          },
          onBatch: (batch, signal) =>
            batch.topic === 'engagements.v1'
              ? updater.handleUserBatch(batch, signal)
              : updater.handlePinBatch(batch, signal),
        }),
      )
      const { generationPollMs, canaryEveryMs, logCheckMs } = config.updater
      lookedAtMs = clock.now()
      if (logCheckMs > 0) void repeat(logCheckMs, looked)
      if (generationPollMs > 0) void repeat(generationPollMs, updater.refreshPointers)
      if (canaryEveryMs > 0) void repeat(canaryEveryMs, sendCanaries)
    },
    async stop() {
      ending.abort(new ContractError('CALL_CANCELLED', 'the feature updater is stopping'))
      await Promise.all(readers.splice(0).map((reader) => reader.stop()))
    },
    health() {
      const standing = following.reasons()
      const others = [...failures].filter(([, reason]) => !standing.includes(reason))
      const silence = silent()
      const reasons = [
        ...(silence === null ? [] : [silence]),
        ...standing,
        ...others.map(([partition, reason]) => `${partition}: ${reason}`),
      ]
      return { ok: reasons.length === 0, reasons }
    },
    notReady: () => updater.health().reasons[0] ?? null,
    stats() {
      const cached = [users.cache.hits(), pins.cache.hits()] as const
      return {
        batches,
        records: counted,
        moves,
        cacheBytes: users.cache.bytes() + pins.cache.bytes(),
        cacheHits: cached[0].hits + cached[1].hits,
        cacheReads: cached[0].reads + cached[1].reads,
        erasedUsers: erasures.size(),
        replacedPartitions: following.replaced(),
        waitingForAdoption: following.waiting(),
      }
    },
    async lag() {
      const lags = await Promise.all(readers.map((reader) => reader.lag()))
      // A reader that stands beyond the end of its log says that nothing waits.
      return lags.reduce((sum, lag) => sum + lag, following.waiting())
    },
  }

  /** Reads `erasures.v1` up to its present end before anything is folded, so that a restart forgets nobody; goes on reading afterwards. */
  async function loadErasures(): Promise<void> {
    const ends = await log.ends('erasures.v1', ending)
    const waiting = new Set(ends.flatMap((end, partition) => (end > 0 ? [partition] : [])))
    const loaded = Promise.withResolvers<undefined>()
    if (waiting.size === 0) loaded.resolve(undefined)
    const reader = await log.readAll({
      topics: ['erasures.v1'],
      maxBatchRecords: config.updater.maxBatchRecords,
      startAt: () => null,
      onError,
      async onBatch(batch) {
        await updater.handleErasureBatch(batch)
        if (batch.next >= (ends[batch.partition] ?? 0)) waiting.delete(batch.partition)
        if (waiting.size === 0) loaded.resolve(undefined)
      },
    })
    readers.push(reader)
    await loaded.promise
  }

  async function looked(): Promise<void> {
    try {
      await updater.look()
    } catch (error) {
      lookFailure = (error as Error).message
      throw error
    }
  }

  /** Why nothing is known of what waits: the log or the store does not answer. A hiccup is none. */
  function silent(): string | null {
    const { logCheckMs } = config.updater
    if (lookedAtMs === null || logCheckMs === 0 || ending.signal.aborted) return null
    const quietMs = clock.now() - lookedAtMs
    if (quietMs <= 2 * logCheckMs + silentAfterMs) return null
    return `log or store have not answered for ${Math.round(quietMs / 1000)} s: ${lookFailure || 'no answer came'}`
  }

  function reportUnlessEnding(error: Error): void {
    if (!ending.signal.aborted) onError(error)
  }

  async function repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!ending.signal.aborted) {
      await clock.sleep(everyMs, ending.signal).catch(() => undefined)
      if (!ending.signal.aborted) await work().catch(reportUnlessEnding)
    }
  }

  /** A canary to every partition owned that has ever folded anything, also where the store has lost all of it since: by the canary it is noticed. */
  async function sendCanaries(): Promise<void> {
    const owned = readers.flatMap((reader) => reader.assigned()).filter(({ topic }) => topic === 'engagements.v1')
    const partitionsOwned = owned.map(({ partition }) => partition)
    const scopes = { user: stateScope('user', generations.user), pin: stateScope('pin', generations.pin) }
    const positions = await store.positions(scopes.user, partitionsOwned, ending).catch((error: unknown) => {
      if (!ending.signal.aborted) for (const _ of partitionsOwned) options.onCanary?.('user', 0, false)
      throw error
    })
    partitionsOwned.forEach((partition, row) => {
      if ((positions[row] ?? 0) > 0) everFolded.add(partition)
    })
    await canary.send(
      partitionsOwned.filter((partition) => everFolded.has(partition)),
      scopes,
      ending.signal,
    )
  }

  return updater
}

function noOutcomes(): Record<RecordOutcome, number> {
  return { applied: 0, duplicate: 0, late: 0, deadLettered: 0, erased: 0, tombstone: 0, lost: 0 }
}
