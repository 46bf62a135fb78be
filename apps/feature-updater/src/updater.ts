import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { BatchVerdict, LogBatch, LogReader, TopicPartition } from '@freshet/contracts/ports/event-log'
import { stateScope } from '@freshet/contracts/scopes'
import type { TopicName } from '@freshet/contracts/topics'
import { partitionOf } from '@freshet/domain/partition'
import { readHealth, readStats, type UpdaterHealth, type UpdaterStats } from './health.ts'
import type { OwnedBoards } from './owned-boards.ts'
import { checkLog, refreshPointers, startPosition } from './pointers.ts'
import { startTasks } from './repeat.ts'
import { createParts, familyOf, folderFor, type UpdaterOptions, type UpdaterParts } from './updater-parts.ts'

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
  /** Takes erased users off their boards; for the keeper of the catalogue. */
  readonly ownedBoards: OwnedBoards
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

const stageTopics: readonly TopicName[] = ['engagements.v1', 'pin-engagements.v1']

/** Creates an updater over a log and a store. It reads no records before `start`. */
export function createUpdater(options: UpdaterOptions): Updater {
  const parts: UpdaterParts = createParts(options, () => refreshPointers(parts))
  const { readers, ending, following, progress } = parts
  const updater: Updater = {
    handleUserBatch: (batch, signal) => noteFailure(parts, batch, () => foldUsers(parts, batch, signal)),
    handlePinBatch: (batch, signal) => noteFailure(parts, batch, () => parts.pins.handle(batch, signal)),
    handleErasureBatch: (batch) => foldErasures(parts, batch, true),
    ownedBoards: parts.ownedBoards,
    startAt: (at) => startPosition(parts, at),
    revoke({ topic, partition }) {
      folderFor(parts, familyOf(topic)).drop(partition)
      progress.failures.delete(`${topic}/${partition}`)
      following.forget({ topic, partition })
    },
    look: () => checkLog(parts),
    refreshPointers: () => refreshPointers(parts),
    async start(topics = stageTopics) {
      progress.partitions = await parts.log.partitionCount('engagements.v1', ending)
      await refreshPointers(parts)
      await loadErasures(parts)
      readers.push(await readStages(parts, updater, topics))
      progress.lookedAtMs = parts.clock.now()
      startTasks(parts)
    },
    async stop() {
      ending.abort(new ContractError('CALL_CANCELLED', 'the feature updater is stopping'))
      await Promise.all(readers.splice(0).map((reader) => reader.stop()))
    },
    health: () => readHealth(parts),
    notReady: () => readHealth(parts).reasons[0] ?? null,
    stats: () => readStats(parts),
    async lag() {
      const lags = await Promise.all(readers.map((reader) => reader.lag()))
      // A reader beyond the end of its log reports that no records wait.
      return lags.reduce((sum, lag) => sum + lag, following.waiting())
    },
  }
  return updater
}

/** Remembers why a batch of a partition failed, until a later one succeeds. */
async function noteFailure(
  { following, progress }: UpdaterParts,
  batch: LogBatch,
  work: () => Promise<BatchVerdict>,
): Promise<BatchVerdict> {
  const key = `${batch.topic}/${batch.partition}`
  try {
    following.check(batch)
    const verdict = await work()
    progress.failures.delete(key)
    return verdict
  } catch (error) {
    progress.failures.set(key, (error as Error).message)
    throw error
  }
}

async function foldUsers(
  { log, users, erasures, progress }: UpdaterParts,
  batch: LogBatch,
  signal: AbortSignal | undefined,
): Promise<BatchVerdict> {
  if (progress.pinPartitions === 0) {
    progress.pinPartitions = await log.partitionCount('pin-engagements.v1', { signal })
  }
  const verdict = await users.handle(batch, signal)
  await erasures.clearDoubt(batch.partition, stateScope('user', progress.generations.user))
  return verdict
}

/** `withBoards`: whether the boards of the erased users are looked for too, which reads all of `boards.v1`. */
async function foldErasures(parts: UpdaterParts, batch: LogBatch, withBoards: boolean): Promise<void> {
  const { log, erasures, ownedBoards, progress, ending } = parts
  if (progress.partitions === 0) progress.partitions = await log.partitionCount('engagements.v1', ending)
  const erased = erasures.fold(batch.records)
  for (const userId of erased) erasures.doubt(partitionOf(userId, progress.partitions))
  await erasures.forget(erased, stateScope('user', progress.generations.user))
  if (withBoards && erased.length > 0) await ownedBoards.forget(erased, ending.signal)
}

/** Joins the group that shares the partitions of both stages. */
function readStages(
  { log, config, onError, progress }: UpdaterParts,
  updater: Updater,
  topics: readonly TopicName[],
): Promise<LogReader> {
  const { group, maxBatchRecords } = config.updater
  return log.readGroup({
    group,
    topics,
    maxBatchRecords,
    startAt: updater.startAt,
    onRevoked: (lost) => {
      lost.forEach(updater.revoke)
    },
    onError: (error, at) => {
      if (isContractError(error, 'LOG_MEMBER_REPLACED')) progress.failures.set(group, error.message)
      onError(error, at)
    },
    onBatch: (batch, signal) =>
      batch.topic === 'engagements.v1' ? updater.handleUserBatch(batch, signal) : updater.handlePinBatch(batch, signal),
  })
}

/**
 * Reads `erasures.v1` to its present end before the updater folds anything, so that it knows all erased users after a
 * restart, and looks for their boards once. The reader then continues.
 */
async function loadErasures(parts: UpdaterParts): Promise<void> {
  const { log, config, erasures, ownedBoards, onError, ending, readers } = parts
  const ends = await log.ends('erasures.v1', ending)
  const waiting = new Set(ends.flatMap((end, partition) => (end > 0 ? [partition] : [])))
  const loaded = Promise.withResolvers<undefined>()
  let isLoaded = waiting.size === 0
  if (isLoaded) loaded.resolve(undefined)
  const reader = await log.readAll({
    topics: ['erasures.v1'],
    maxBatchRecords: config.updater.maxBatchRecords,
    startAt: () => null,
    onError,
    async onBatch(batch) {
      await foldErasures(parts, batch, isLoaded)
      if (batch.next >= (ends[batch.partition] ?? 0)) waiting.delete(batch.partition)
      if (isLoaded || waiting.size > 0) return
      isLoaded = true
      loaded.resolve(undefined)
    },
  })
  readers.push(reader)
  await loaded.promise
  if (erasures.size() > 0) await ownedBoards.forget(erasures.userIds(), ending.signal)
}
