import { scanEngagement, scannedOf, type ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { recordOutcomes, type PartitionMeta, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { decodeUserState, encodeUserState } from '@freshet/contracts/codecs/user-state'
import {
  actOfScan,
  appendBytesAtMost,
  encodeUserTail,
  tailBytesAtMost,
  tailBytesIn,
  tailMarkBytes,
} from '@freshet/contracts/codecs/user-tail'
import { ContractError } from '@freshet/contracts/errors'
import { storedPosition } from '@freshet/contracts/followed-log'
import { noteNotFolded, type NotFoldedNotes } from '@freshet/contracts/not-folded'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut } from '@freshet/contracts/ports/state-store'
import { hashPair64 } from '@freshet/domain/hash'
import { foldUser, newUserState, type UserLimits, type UserState } from '@freshet/domain/user-state'
import type { FoldConfig } from './config.ts'
import { badRecord, deadLetterRecord, type BadRecord } from './bad-records.ts'
import type { Rekeying } from './rekeying.ts'
import { createDedupeWindow, receivedAt, type DedupeWindow } from './dedupe.ts'
import { createHashSet } from './hash-set.ts'
import { onwardHeaders } from './onward-headers.ts'
import type { FoldBatch, FoldBefore, FoldNeeds, FoldResult, Stage } from './stage.ts'

/** A record of `engagements.v1` as read. A record without a value is a tombstone: the updater must forget its user. */
export type ParsedEngagement =
  | { readonly kind: 'engagement'; readonly record: LogRecord; readonly scan: ScannedEngagement }
  | { readonly kind: 'tombstone'; readonly record: LogRecord }
  | BadRecord

/** When a user was erased, milliseconds since the epoch; null: never. */
export type ErasedAt = (userId: string) => number | null

/**
 * The first stage: `engagements.v1` into user state, accepted ones on to `pin-engagements.v1`. In the order of the log,
 * for each record: clamp its time to its receipt; drop it if its user was erased since; drop it if it repeats an earlier
 * one (the same id of the same user: clients make them) by the rule of `dedupe.ts`. Everything else is folded, however
 * long ago it happened. The outcome of a record depends on the log alone, never on where batches were cut.
 */
export function createUserStage(
  config: FoldConfig,
  erasedAt: ErasedAt,
  rekeying: Rekeying | null,
): Stage<ParsedEngagement, number> {
  const limits = userLimits(config)
  const window = createDedupeWindow(config)

  return {
    topic: 'engagements.v1',
    family: 'user',
    recordsAtOnce: ({ length }) => length,
    parse: ({ records }) => records.map(parse),
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
  parsed: readonly ParsedEngagement[],
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
    if (item.kind === 'tombstone') {
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
  readonly parsed: readonly ParsedEngagement[]
  readonly before: FoldBefore<number>
  readonly config: FoldConfig
  readonly limits: UserLimits
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
  const accepted = new Map<string, ScannedEngagement[]>()
  const bases = new Map<string, UserState | null>()
  const generations = new Float64Array(before.hashes.length)
  const rememberedHere = createHashSet(before.hashes, (index, other) =>
    window.covers(generations[index] ?? 0, generations[other] ?? 0),
  )
  const remember = new Map<number, number[]>()
  const deadLetters: NewRecord[] = []
  let hashes = 0

  for (const item of parsed) {
    const { record } = item
    if (item.kind === 'bad') {
      deadLetters.push(deadLetterRecord(item, 'engagements.v1', batch.partition))
      skip(record, 'deadLettered')
      continue
    }
    if (item.kind === 'tombstone') {
      count('tombstone')
      const pending = accepted.get(record.key) ?? []
      const base = bases.has(record.key) ? (bases.get(record.key) ?? null) : storedState(before, record.key)
      const state = pending.length === 0 ? base : folded(base, pending, limits)
      const until = erasedAt(record.key)
      const keeps = until !== null && state !== null && state.firstAtMs > until
      bases.set(record.key, keeps ? state : null)
      accepted.set(record.key, [])
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
    const list = accepted.get(record.key)
    if (list === undefined) accepted.set(record.key, [scan])
    else list.push(scan)
    count('applied')
    rekeyed?.add(scan, storedPosition(batch.epoch, record.position), onwardHeaders(record).headers)
  }

  const puts: StatePut[] = []
  const appends: StatePut[] = []
  const deletes: string[] = []
  const cache = new Map<string, { readonly entry: number; readonly bytes: number }>()
  for (const [key, pending] of accepted) {
    const stored = before.valueOf(key)
    if (stored === undefined) {
      const tail = encodeUserTail(pending, before.cached(key) ?? 0, limits)
      appends.push({ key, value: tail.bytes, ttlMs: config.userTtlMs })
      cache.set(key, { entry: tail.tailBytes, bytes: 0 })
      continue
    }
    const base = bases.has(key) ? (bases.get(key) ?? null) : storedState(before, key)
    if (pending.length === 0 && base === null) {
      if (stored !== null) deletes.push(key)
      cache.set(key, { entry: 0, bytes: 0 })
      continue
    }
    puts.push({ key, value: encodeUserState(folded(base, pending, limits), limits), ttlMs: config.userTtlMs })
    cache.set(key, { entry: 0, bytes: 0 })
  }
  const { notFolded, knownFrom } = notes
  const meta: PartitionMeta = {
    watermarkMs,
    counts,
    highWaterMarks: before.meta.highWaterMarks,
    notFolded,
    knownFrom,
  }
  return {
    puts,
    appends,
    deletes,
    remember: [...remember].map(([generation, indices]) => ({
      generation,
      hashes: BigUint64Array.from(indices, (index) => before.hashes[index] ?? 0n),
      ttlMs: config.dedupeTtlMs,
    })),
    meta,
    onward: [
      { topic: 'dead-letters.v1' as const, records: deadLetters },
      { topic: 'pin-engagements.v1' as const, records: rekeyed?.records() ?? [] },
    ].filter(({ records }) => records.length > 0),
    cache,
    outcomes,
  }
}

/** The stored state of a key whose value was read. `needs` requests the value for every tombstone. */
function storedState(before: FoldBefore<number>, key: string): UserState | null {
  const stored = before.valueOf(key) ?? null
  return stored === null ? null : decodeUserState(stored)
}

function folded(base: UserState | null, pending: readonly ScannedEngagement[], limits: UserLimits): UserState {
  return foldUser(base ?? newUserState, pending.map(actOfScan), limits)
}

/** The same engagement at another time. */
function at(scan: ScannedEngagement, occurredAtMs: number): ScannedEngagement {
  const { engagement, receivedAtMs } = decodeReceivedEngagement(scan.bytes)
  return scannedOf({ engagement: { ...engagement, occurredAtMs }, receivedAtMs })
}

function parse(record: LogRecord): ParsedEngagement {
  const { key, value } = record
  if (value === null) return { kind: 'tombstone', record }
  const scan = scanEngagement(value)
  if (scan !== null && isUserOf(key, scan)) return { kind: 'engagement', record, scan }
  try {
    const received = decodeReceivedEngagement(value)
    if (received.engagement.userId !== key) {
      throw new ContractError(
        'CODEC_INVALID',
        `the record's key is ${JSON.stringify(key.slice(0, 128))}, its user another`,
      )
    }
    return { kind: 'engagement', record, scan: scannedOf(received) }
  } catch (error) {
    return badRecord(record, error)
  }
}

/** Whether the key is the scanned user's id. */
function isUserOf(key: string, { bytes, userAt, userTo }: ScannedEngagement): boolean {
  if (key.length !== userTo - userAt) return false
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) !== bytes[userAt + i]) return false
  return true
}

function userLimits(config: FoldConfig): UserLimits {
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
  }
}
