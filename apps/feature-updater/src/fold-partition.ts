import {
  decodePartitionMeta,
  encodePartitionMeta,
  recordOutcomes,
  type OutcomeCounts,
  type PartitionMeta,
} from '@freshet/contracts/codecs/partition-meta'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { epochIn, positionIn, storedPosition, type FollowedLog } from '@freshet/contracts/followed-log'
import type { BatchVerdict, EventLog, LogBatch, LogRecord } from '@freshet/contracts/ports/event-log'
import { noteNotFolded } from '@freshet/contracts/not-folded'
import { nothingElse, type CommitOutcome, type StateStore } from '@freshet/contracts/ports/state-store'
import { stateScope, type StateFamily } from '@freshet/contracts/scopes'
import { unaccountedPositions } from './accounting.ts'
import { createBadShare, type BadShare } from './bad-share.ts'
import type { UpdaterConfig } from './config.ts'
import type { FoldResult, Lookup, Stage } from './stage.ts'
import { createStateCache, type StateCache } from './state-cache.ts'

/** A partition stopped because too many of its records are bad: a deployment is broken, of the producer or of this service. */
class PartitionHalted extends ContractError {
  constructor(topic: string, partition: number, bad: number, records: number, example: string) {
    super(
      'PARTITION_HALTED',
      `${topic}/${partition} halted: ${bad} of ${records} records are bad, e.g. ${example}; fix the producer or this service, then run \`freshet dlq resume\`, which writes the bad records to the dead letters`,
    )
  }
}

/** Receives what a folder does. */
export interface FoldObserver {
  /** A batch was committed. */
  readonly committed: (commit: {
    readonly topic: string
    readonly partition: number
    readonly records: readonly LogRecord[]
    readonly outcomes: OutcomeCounts
    /** Positions that the commit passed over without an outcome, see `unaccountedPositions`. */
    readonly unaccounted: number
  }) => void
  /** A commit or a read found that the stored position is not the batch's. */
  readonly moved: (move: {
    readonly topic: string
    readonly partition: number
    readonly kind: Exclude<CommitOutcome['kind'], 'APPLIED'>
    readonly stored: number
  }) => void
}

/** Folds batches of one stage into one generation of its state, under the fence. */
export interface PartitionFolder<Cached> {
  /** Reads, folds, appends onward, commits. Rejects if it knows of no commit; the same batch may then come again. */
  handle(batch: LogBatch, signal?: AbortSignal): Promise<BatchVerdict>
  /** Drops the cache of a partition, which was revoked or belongs to another generation now. */
  drop(partition: number): void
  readonly cache: Pick<StateCache<Cached>, 'bytes' | 'hits'>
}

interface Memo {
  readonly position: number
  readonly meta: PartitionMeta
}

/** A folder of a stage. `sendOnward: false` for a rebuild, because the log already contains those records. */
export function createPartitionFolder<Parsed extends { readonly kind: string }, Cached>(options: {
  readonly stage: Stage<Parsed, Cached>
  readonly log: Pick<EventLog, 'append'>
  readonly store: Pick<StateStore, 'read' | 'readForFold' | 'commit'>
  readonly config: UpdaterConfig['updater']
  /** The generation whose state it folds. The folder asks at every batch. */
  readonly generation: () => string
  /** The log that batches come from. The folder asks at every batch. */
  readonly followed: () => FollowedLog
  /** Asks again which log that is, when the state belongs to a log that was adopted since. */
  readonly askFollowed: () => Promise<unknown>
  readonly sendOnward: boolean
  /** Bad records that the log took until this time do not halt a partition; milliseconds since the epoch. */
  readonly badAcceptedUntilMs: () => number
  readonly observer?: FoldObserver
}): PartitionFolder<Cached> {
  const { stage, store, config, observer } = options
  const cache = createStateCache<Cached>(config.cacheBytes)
  const memos = new Map<number, Memo>()
  const epochs = new Map<number, number>()
  const shares = new Map<number, BadShare>()

  const drop = (partition: number) => {
    memos.delete(partition)
    cache.drop(partition)
    epochs.set(partition, epochOf(partition) + 1)
  }
  const epochOf = (partition: number) => epochs.get(partition) ?? 0

  /** The stored position is the truth. If the batch does not start there, the folder does not fold it. */
  const move = (batch: LogBatch, kind: Exclude<CommitOutcome['kind'], 'APPLIED'>, stored: number): BatchVerdict => {
    drop(batch.partition)
    observer?.moved({ topic: batch.topic, partition: batch.partition, kind, stored })
    // The stored position and the batch belong to different logs. Reading the batch again shows which one is behind.
    if (epochIn(stored) !== epochIn(batch.from)) return { seekTo: positionIn(batch.from) }
    if (stored !== batch.next) return { seekTo: positionIn(stored) }
  }

  /** The state belongs to an earlier log. It continues at the beginning of this one; the same fence lets that happen once. */
  async function adopt(
    { partition }: LogBatch,
    scope: string,
    { epoch }: FollowedLog,
    { position, meta }: { readonly position: number | null; readonly meta: Uint8Array | null },
  ): Promise<BatchVerdict> {
    drop(partition)
    const nothing = { puts: [], appends: [], deletes: [], remember: [] }
    const [from, next] = [position ?? 0, storedPosition(epoch, 0)]
    await store.commit({ scope, partition, from, next, meta, ...nothing })
    return { seekTo: 0 }
  }

  /** Bad records that count towards halting the partition. */
  const countedBad = (batch: LogBatch, parsed: readonly Parsed[]): number => {
    if (stage.badRecords(parsed) === 0) return 0
    const untilMs = options.badAcceptedUntilMs()
    return parsed.filter(({ kind }, at) => kind === 'bad' && (batch.records[at]?.appendedAtMs ?? 0) > untilMs).length
  }

  const haltIfBroken = (batch: LogBatch, parsed: readonly Parsed[], bad: number): BadShare => {
    const { partition } = batch
    const share =
      shares.get(partition) ?? createBadShare(config.haltWindowRecords, config.haltBadShare, config.haltMinBadRecords)
    shares.set(partition, share)
    if (share.wouldHalt(parsed.length, bad)) {
      const first = parsed.find(({ kind }) => kind === 'bad') as { readonly message?: string } | undefined
      throw new PartitionHalted(batch.topic, partition, bad, parsed.length, first?.message ?? 'unknown')
    }
    return share
  }

  async function fold(read: LogBatch, signal: AbortSignal | undefined): Promise<BatchVerdict> {
    const { partition } = read
    const log = options.followed()
    const batch = ofLog(read, log)
    const scope = stateScope(stage.family, options.generation())
    const call = signal === undefined ? {} : { signal }
    const epoch = epochOf(partition)
    const parsed = stage.parse(batch)
    const badRecords = countedBad(batch, parsed)
    const share = haltIfBroken(batch, parsed, badRecords)

    let memo = memos.get(partition)
    if (memo?.position !== batch.from) {
      cache.drop(partition)
      const first = await store.readForFold({ ...nothingElse, scope, partition }, call)
      const stored = first.position ?? 0
      if (epochIn(stored) < log.epoch) return adopt(batch, scope, log, first)
      if (epochIn(stored) > log.epoch) await options.askFollowed()
      if (stored !== batch.from) return move(batch, kindOf(batch, stored), stored)
      memo = { position: stored, meta: decodePartitionMeta(first.meta) }
    }
    // An older batch of this partition may still be running here, and what it cached belongs to another position.
    const cached = memos.get(partition) === memo
    // The batch takes entries out of the cache, because it may change them in place. It puts them back after the commit.
    const entries = new Map<string, Cached>()
    const entryOf = (key: string) => entries.get(key)
    const { keys, ends, endBytes, overdue, hashes, lookups } = stage.needs(parsed, (key) => {
      const entry = cached ? cache.take(partition, key) : undefined
      if (entry !== undefined) entries.set(key, entry)
      return entry
    })
    const before = await store.readForFold(
      {
        scope,
        partition,
        keys,
        hashes: hashesOf(hashes, lookups[0]),
        generations: lookups[0]?.generations ?? [],
        ends: { keys: ends, bytes: endBytes },
      },
      call,
    )
    const stored = before.position ?? 0
    if (stored !== memo.position) return move(batch, kindOf(batch, stored), stored)
    const seen = new Uint8Array(hashes.length)
    noteSeen(seen, before.seen, lookups[0])
    // Ids that ingest received at other times than the rest. There are seldom more than a few.
    for (const lookup of lookups.slice(1)) {
      const query = {
        ...nothingElse,
        scope,
        partition,
        hashes: hashesOf(hashes, lookup),
        generations: lookup.generations,
      }
      const more = await store.readForFold(query, call)
      if (more.position !== before.position) return move(batch, kindOf(batch, more.position ?? 0), more.position ?? 0)
      noteSeen(seen, more.seen, lookup)
    }
    const values = new Map(keys.map((key, row) => [key, before.values[row] ?? null]))
    ends.forEach((key, row) => entries.set(key, stage.ofEnd(before.ends[row] ?? null)))
    const late = ends.length === 0 ? [] : overdue(entryOf)
    if (late.length > 0) {
      const { position, values: more } = await store.read(scope, partition, late, call)
      if (position !== before.position) return move(batch, kindOf(batch, position ?? 0), position ?? 0)
      late.forEach((key, row) => values.set(key, more[row] ?? null))
    }

    const lost = read.deletedUnread ?? 0
    const folded = stage.fold({ ...batch, epoch: log.epoch }, parsed, {
      meta: lost === 0 ? memo.meta : { ...memo.meta, ...noteNotFolded(memo.meta, batch.from, 'lost', lost) },
      cached: entryOf,
      valueOf: (key) => values.get(key),
      hashes,
      seen,
    })
    const result = withLost(folded, lost)
    if (options.sendOnward) {
      await Promise.all(result.onward.map(({ topic, records }) => options.log.append(topic, records, call)))
    }
    const outcome = await store.commit(
      {
        scope,
        partition,
        from: batch.from,
        next: batch.next,
        puts: result.puts,
        appends: result.appends,
        deletes: result.deletes,
        meta: encodePartitionMeta(result.meta),
        remember: result.remember,
      },
      call,
    )
    if (outcome.kind !== 'APPLIED') return move(batch, outcome.kind, outcome.stored)

    share.add(parsed.length, badRecords)
    if (epochOf(partition) === epoch) {
      epochs.set(partition, epoch + 1)
      memos.set(partition, { position: batch.next, meta: result.meta })
      for (const [key, { entry, bytes }] of result.cache) cache.set(partition, key, entry, bytes)
    } else {
      // Another batch of this partition ended during this one. Its cache and this commit may belong to different histories.
      drop(partition)
    }
    observer?.committed({
      topic: batch.topic,
      partition,
      records: batch.records,
      outcomes: result.outcomes,
      unaccounted: unaccountedPositions(read, lost, countedOf(stage.family, folded.outcomes, read, batch)),
    })
  }

  /** Folds a batch, or as much of its beginning as one commit takes. `next`: the position after it, unless a verdict sends the reader elsewhere. */
  async function foldOrHalve(
    batch: LogBatch,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly next: number; readonly stopped?: Exclude<BatchVerdict, void> }> {
    for (let part = batch; ;) {
      try {
        const verdict = await fold(part, signal)
        return verdict === undefined ? { next: part.next } : { next: part.next, stopped: verdict }
      } catch (error) {
        drop(batch.partition)
        if (!isContractError(error, 'STORE_VALUE_TOO_LARGE') || part.records.length < 2) throw error
        // The records of the rest were already appended. They are appended again, and the next stage drops the repeats.
        part = firstRecords(part, Math.ceil(part.records.length / 2))
      }
    }
  }

  return {
    async handle(batch, signal) {
      for (let rest = batch; ;) {
        const part = firstRecords(rest, stage.recordsAtOnce(rest.records))
        const verdict = await foldOrHalve(part, signal)
        if (verdict.stopped !== undefined) return verdict.stopped
        if (verdict.next >= batch.next) return undefined
        rest = afterPart(rest, verdict.next)
      }
    },
    drop,
    cache: { bytes: cache.bytes, hits: cache.hits },
  }
}

function hashesOf(hashes: BigUint64Array, lookup: Lookup | undefined): BigUint64Array {
  const indices = lookup?.indices ?? null
  return indices === null ? hashes : BigUint64Array.from(indices, (index) => hashes[index] ?? 0n)
}

function noteSeen(seen: Uint8Array, found: Uint8Array, lookup: Lookup | undefined): void {
  const indices = lookup?.indices ?? null
  if (indices === null) seen.set(found)
  else indices.forEach((index, at) => (seen[index] = found[at] ?? 0))
}

/** The batch of the first `count` records; the same batch if it has no more. */
function firstRecords(batch: LogBatch, count: number): LogBatch {
  if (count >= batch.records.length) return batch
  const records = batch.records.slice(0, count)
  return { ...batch, records, next: (records.at(-1)?.position ?? batch.from) + 1 }
}

/** The rest of a batch after a part that was folded. */
function afterPart(batch: LogBatch, from: number): LogBatch {
  const { deletedUnread: _counted, ...rest } = batch
  return { ...rest, from, records: batch.records.filter(({ position }) => position >= from) }
}

/** A batch at stored positions, without records that were folded before its log was adopted. */
function ofLog(batch: LogBatch, { epoch, sinceMs }: FollowedLog): LogBatch {
  const records = sinceMs === 0 ? batch.records : batch.records.filter(({ appendedAtMs }) => appendedAtMs >= sinceMs)
  return { ...batch, records, from: storedPosition(epoch, batch.from), next: storedPosition(epoch, batch.next) }
}

/** Counts records that retention deleted before they were folded, once: in the commit that passes over them. */
function withLost<Cached>(result: FoldResult<Cached>, lost: number): FoldResult<Cached> {
  if (lost === 0) return result
  const { meta, outcomes } = result
  return {
    ...result,
    meta: { ...meta, counts: { ...meta.counts, lost: meta.counts.lost + lost } },
    outcomes: { ...outcomes, lost },
  }
}

/** Records of a batch that have an outcome, or were folded before the log was adopted; null: the outcomes are those of parts of records. */
function countedOf(family: StateFamily, outcomes: OutcomeCounts, read: LogBatch, folded: LogBatch): number | null {
  if (family === 'pin') return null
  const skipped = read.records.length - folded.records.length
  return recordOutcomes.reduce((sum, outcome) => sum + outcomes[outcome], skipped)
}

function kindOf(batch: LogBatch, stored: number): Exclude<CommitOutcome['kind'], 'APPLIED'> {
  return stored >= batch.next ? 'SKIPPED' : stored < batch.from ? 'ROLLBACK' : 'PARTIAL'
}
