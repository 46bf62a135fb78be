import { scannedOf, type ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { recordOutcomes, type PartitionMeta, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { appendBytesAtMost, tailBytesAtMost, tailBytesIn, tailMarkBytes } from '@freshet/contracts/codecs/user-tail'
import { moveMarks, sourceOf } from '@freshet/contracts/foreign-source'
import { storedPosition } from '@freshet/contracts/followed-log'
import { noteNotFolded, type NotFoldedNotes } from '@freshet/contracts/not-folded'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { hashPair64 } from '@freshet/domain/hash'
import { heldSinceMs, type MergeLimits } from '@freshet/domain/merge-users'
import type { FoldConfig } from './config.ts'
import { deadLetterRecord, type BadRecord } from './bad-records.ts'
import { createMerging } from './merging.ts'
import type { Rekeying } from './rekeying.ts'
import { createDedupeWindow, receivedAt, type DedupeWindow } from './dedupe.ts'
import { createHashSet } from './hash-set.ts'
import { onwardHeaders } from './onward-headers.ts'
import type { FoldBatch, FoldBefore, FoldNeeds, FoldResult, Stage } from './stage.ts'
import { parseUserRecord, type ParsedUserRecord } from './user-records.ts'
import { createUserValues } from './user-values.ts'

/** When a user was erased, milliseconds since the epoch; null: never. */
export type ErasedAt = (userId: string) => number | null

/**
 * The first stage: `engagements.v1` into user state, accepted ones on to `pin-engagements.v1`. In the order of the log,
 * for each record: clamp its time to its receipt; drop it if its user was erased since; drop it if it repeats an earlier
 * one (the same id of the same user: clients make them) by the rule of `dedupe.ts`, or a record of another system's topic (`foreign-source.ts`). Everything else is folded, however
 * long ago it happened. Merges of users come in the same log: see `merging.ts`. The outcome of a record depends on the log alone, never on where batches were cut.
 */
export function createUserStage(
  config: FoldConfig,
  erasedAt: ErasedAt,
  rekeying: Rekeying | null,
): Stage<ParsedUserRecord, number> {
  const limits = mergeLimits(config)
  const window = createDedupeWindow(config)

  return {
    topic: 'engagements.v1',
    family: 'user',
    recordsAtOnce: ({ length }) => length,
    parse: ({ records }) => records.map(parseUserRecord),
    badRecords: (parsed) => parsed.reduce((bad, { kind }) => bad + Number(kind === 'bad'), 0),
    needs: (parsed, cached) => needsOf(parsed, cached, config.compactAfterBytes, window),
    ofEnd: tailBytesIn,
    fold(batch, parsed, before) {
      return foldUserBatch({ batch, parsed, before, config, limits, window, erasedAt, rekeying })
    },
  }
}

/**
 * For most users the commit appends what they did, without reading their value. The cache or the end of the value contains the
 * length of its tail. If the tail would become too long, or the user must be forgotten, the value is read and written whole.
 */
function needsOf(
  parsed: readonly ParsedUserRecord[],
  cached: (key: string) => number | undefined,
  compactAfterBytes: number,
  window: DedupeWindow,
): FoldNeeds<number> {
  const generations = new Float64Array(parsed.length)
  const hashes = new BigUint64Array(parsed.length)
  const halves = new Uint32Array(hashes.buffer)
  const room = new Map<string, number>()
  let count = 0
  for (const item of parsed) {
    if (item.kind === 'bad') continue
    const { key } = item.record
    if (item.kind !== 'engagement') {
      room.set(key, Number.POSITIVE_INFINITY)
      continue
    }
    const { scan } = item
    generations[count] = window.generationOf(receivedAt(scan, item.record))
    hashPair64(scan.bytes, scan.userAt, scan.userTo, scan.eventAt, scan.eventTo, halves, 2 * count++)
    room.set(key, (room.get(key) ?? 0) + tailBytesAtMost(scan))
  }
  const isFull = (key: string, tailBytes: number): boolean =>
    tailBytes + (room.get(key) ?? 0) + appendBytesAtMost > compactAfterBytes
  const keys: string[] = []
  const ends: string[] = []
  for (const key of room.keys()) {
    const tailBytes = cached(key)
    if (isFull(key, tailBytes ?? 0)) keys.push(key)
    else if (tailBytes === undefined) ends.push(key)
  }
  return {
    keys,
    ends,
    endBytes: tailMarkBytes,
    overdue: (known) => ends.filter((key) => isFull(key, known(key) ?? 0)),
    hashes: hashes.subarray(0, count),
    lookups: window.lookups(generations.subarray(0, count)),
  }
}

interface UserFold {
  readonly batch: FoldBatch
  readonly parsed: readonly ParsedUserRecord[]
  readonly before: FoldBefore<number>
  readonly config: FoldConfig
  readonly limits: MergeLimits
  readonly window: DedupeWindow
  readonly erasedAt: ErasedAt
  readonly rekeying: Rekeying | null
}

function foldUserBatch(fold: UserFold): FoldResult<number> {
  const { batch, parsed, before, config, limits, window, erasedAt } = fold
  const rekeyed = fold.rekeying?.(batch.partition) ?? null
  const counts = { ...before.meta.counts }
  const outcomes = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<RecordOutcome, number>
  const count = (outcome: RecordOutcome) => {
    counts[outcome]++
    outcomes[outcome]++
  }
  let { watermarkMs } = before.meta
  let notes: NotFoldedNotes = before.meta
  const skip = (record: LogRecord, reason: 'deadLettered' | 'erased') => {
    notes = noteNotFolded(notes, storedPosition(batch.epoch, record.position), reason)
    count(reason)
  }
  const deadLetters: NewRecord[] = []
  const refuse = (bad: BadRecord) => {
    deadLetters.push(deadLetterRecord(bad, 'engagements.v1', batch.partition))
    skip(bad.record, 'deadLettered')
  }
  const values = createUserValues(before, limits, config.userTtlMs)
  const { highWaterMarks: marks } = before.meta
  const merging = createMerging({ batch, values, limits, forwardMs: config.mergeForwardMs, erasedAt, marks })
  const sources = moveMarks(before.meta.sourceMarks)
  const generations = new Float64Array(before.hashes.length)
  const rememberedHere = createHashSet(before.hashes, (index, other) =>
    window.covers(generations[index] ?? 0, generations[other] ?? 0),
  )
  const remember = new Map<number, number[]>()
  let hashes = 0

  for (const item of parsed) {
    const { record } = item
    const source = sourceOf(record.headers)
    if (source !== null && !sources.isNew(source)) {
      if (item.kind === 'engagement') hashes++
      count('duplicate')
      continue
    }
    if (item.kind === 'bad') {
      refuse(item)
      continue
    }
    if (item.kind === 'tombstone') {
      count('tombstone')
      const state = values.stateOf(record.key)
      const until = erasedAt(record.key)
      values.replace(record.key, until !== null && state !== null && heldSinceMs(state) > until ? state : null)
      continue
    }
    if (item.kind === 'handover') {
      count('handover')
      merging.receive(record, item.handover, item.content)
      continue
    }
    if (item.kind === 'merge') {
      if (item.merge.occurredAtMs <= (erasedAt(record.key) ?? -1)) {
        skip(record, 'erased')
        continue
      }
      const refused = merging.request(record, item.merge)
      if (refused === null) count('applied')
      else refuse({ kind: 'bad', record, ...refused })
      continue
    }
    const hashIndex = hashes++
    const remembered = before.seen[hashIndex] === 1
    const latestMs = item.scan.receivedAtMs > 0 ? item.scan.receivedAtMs + config.maxAheadMs : Number.POSITIVE_INFINITY
    const occurredAtMs = Math.min(item.scan.occurredAtMs, latestMs)
    watermarkMs = Math.max(watermarkMs, occurredAtMs)
    const erasedMs = erasedAt(record.key)
    if (erasedMs !== null && occurredAtMs <= erasedMs) {
      skip(record, 'erased')
      continue
    }
    const scan = occurredAtMs === item.scan.occurredAtMs ? item.scan : at(item.scan, occurredAtMs)
    const generation = window.generationOf(receivedAt(scan, record))
    generations[hashIndex] = generation
    if (remembered || !rememberedHere.add(hashIndex)) {
      count('duplicate')
      continue
    }
    const ofGeneration = remember.get(generation)
    if (ofGeneration === undefined) remember.set(generation, [hashIndex])
    else ofGeneration.push(hashIndex)
    merging.add(record, scan)
    count('applied')
    rekeyed?.add(scan, storedPosition(batch.epoch, record.position), onwardHeaders(record).headers)
  }

  const { notFolded, knownFrom } = notes
  const meta: PartitionMeta = {
    watermarkMs,
    counts,
    highWaterMarks: merging.marks(),
    sourceMarks: sources.marks(),
    notFolded,
    knownFrom,
  }
  return {
    ...values.written(),
    remember: [...remember].map(([generation, indices]) => ({
      generation,
      hashes: BigUint64Array.from(indices, (index) => before.hashes[index] ?? 0n),
      ttlMs: config.dedupeTtlMs,
    })),
    meta,
    onward: [
      { topic: 'dead-letters.v1' as const, records: deadLetters },
      { topic: 'engagements.v1' as const, records: merging.records() },
      { topic: 'pin-engagements.v1' as const, records: rekeyed?.records() ?? [] },
    ].filter(({ records }) => records.length > 0),
    outcomes,
  }
}

/** The same engagement at another time. */
function at(scan: ScannedEngagement, occurredAtMs: number): ScannedEngagement {
  const { engagement, receivedAtMs } = decodeReceivedEngagement(scan.bytes)
  return scannedOf({ engagement: { ...engagement, occurredAtMs }, receivedAtMs })
}

function mergeLimits(config: FoldConfig): MergeLimits {
  return {
    maxRecentActions: config.maxRecentActions,
    maxRelationsPerKind: config.maxRelationsPerKind,
    maxOlderRelations: config.maxOlderRelationsPerKind,
    maxBoards: config.maxUserBoards,
    seen: {
      maxRecent: config.maxRecentlySeen,
      generationMs: config.seenGenerationMs,
      maxPerGeneration: config.maxSeenPerGeneration,
    },
    sessions: { gapMs: config.sessionGapMs, maxKept: config.maxSessions },
    maxMergedFrom: config.maxMergedUsers,
  }
}
