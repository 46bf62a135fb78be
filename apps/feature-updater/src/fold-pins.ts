import {
  isScannedPinKey,
  pinActOfScan,
  scanPinEngagement,
  scannedOf,
  scannedPinKeys,
} from '@freshet/contracts/codecs/engagement-scan'
import { decodePinEngagement } from '@freshet/contracts/codecs/onward'
import { recordOutcomes, type HighWaterMark, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import {
  decodePinEngagementBatch,
  isPinEngagementBatch,
  pinEngagementRowsIn,
  type PinEngagementRows,
} from '@freshet/contracts/codecs/pin-engagement-batch'
import { decodePinState, encodePinFeatures, encodePinState } from '@freshet/contracts/codecs/pin-state'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut } from '@freshet/contracts/ports/state-store'
import type { PinAct } from '@freshet/domain/engagement'
import { foldIntoPin, isPinKey, ownNewPin, type OwnPinState } from '@freshet/domain/pin-state'
import type { FoldConfig } from './config.ts'
import { badRecord, deadLetterRecord, type BadRecord } from './bad-records.ts'
import type { FoldBatch, FoldBefore, FoldResult, Stage } from './stage.ts'

/** A record of `pin-engagements.v1` as read. */
export type ParsedPinEngagements = { readonly kind: 'rows'; readonly rows: PinEngagementRows } | BadRecord

/**
 * The second stage: `pin-engagements.v1` into the state of pins (and of boards, creators and topics), each new pin state
 * on to `pin-features.v1`. The first stage sends again after a crash between its append and its commit, and may cut its
 * batches at other places then. So each row of a batch is compared with the high-water mark of its source partition: rows
 * below the mark were folded and are dropped, the rest of the same record is folded.
 */
export function createPinStage(config: FoldConfig): Stage<ParsedPinEngagements, OwnPinState> {
  return {
    topic: 'pin-engagements.v1',
    family: 'pin',
    recordsAtOnce: (records) => recordsOfAtMost(records, maxRowsAtOnce),
    parse: ({ records }) => records.map(parse),
    badRecords: (parsed) => parsed.reduce((bad, { kind }) => bad + Number(kind === 'bad'), 0),
    needs(parsed, cached) {
      const known = new Set<string>()
      const keys: string[] = []
      for (const item of parsed) {
        if (item.kind === 'bad') continue
        for (const key of item.rows.keys) {
          if (known.has(key)) continue
          known.add(key)
          if (cached(key) === undefined) keys.push(key)
        }
      }
      return { keys, ends: [], endBytes: 0, overdue: () => [], hashes: new BigUint64Array(0), lookups: [] }
    },
    ofEnd: () => {
      throw new RangeError('the ends of pins are not asked for')
    },
    fold: (batch, parsed, before) => foldPinBatch(batch, parsed, before, config),
  }
}

function foldPinBatch(
  batch: FoldBatch,
  parsed: readonly ParsedPinEngagements[],
  before: FoldBefore<OwnPinState>,
  config: FoldConfig,
): FoldResult<OwnPinState> {
  const counts = { ...before.meta.counts }
  const outcomes = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<RecordOutcome, number>
  const count = (outcome: RecordOutcome, records: number) => {
    counts[outcome] += records
    outcomes[outcome] += records
  }
  let { watermarkMs } = before.meta
  const marks = new Map(before.meta.highWaterMarks)
  const accepted = new Map<string, PinAct[]>()
  const deadLetters: NewRecord[] = []

  for (const item of parsed) {
    if (item.kind === 'bad') {
      deadLetters.push(deadLetterRecord(item, 'pin-engagements.v1', batch.partition))
      count('deadLettered', 1)
      continue
    }
    const { sourcePartition, positions, indexes, keys, acts } = item.rows
    const first = firstAbove(item.rows, marks.get(sourcePartition))
    const last = keys.length - 1
    count('duplicate', first)
    count('applied', keys.length - first)
    if (first > last) continue
    marks.set(sourcePartition, { position: positions[last] ?? 0, index: (indexes[last] ?? 0) + 1 })
    for (let row = first; row <= last; row++) {
      const act = acts[row] as PinAct
      const key = keys[row] ?? ''
      watermarkMs = Math.max(watermarkMs, act.occurredAtMs)
      const list = accepted.get(key)
      if (list === undefined) accepted.set(key, [act])
      else list.push(act)
    }
  }

  const puts: StatePut[] = []
  const published: NewRecord[] = []
  const cache = new Map<string, { readonly entry: OwnPinState; readonly bytes: number }>()
  const limits = { maxBoards: config.maxPinBoards }
  for (const [key, engagements] of accepted) {
    const stored = before.valueOf(key)
    // The batch owns this state: it was taken from the cache or made here. A batch that fails drops the cache.
    const state = stored == null ? (before.cached(key) ?? ownNewPin()) : decodePinState(stored)
    foldIntoPin(state, engagements, limits)
    if (isPinKey(key)) {
      const { features, stored: value } = encodePinFeatures(key, state, batch.next)
      puts.push({ key, value, ttlMs: config.pinTtlMs })
      published.push({ key, partition: null, value: features })
    } else puts.push({ key, value: encodePinState(state), ttlMs: config.pinTtlMs })
    cache.set(key, { entry: state, bytes: decodedBytes + boardBytes * state.boards.boardIds.length })
  }
  return {
    puts,
    appends: [],
    deletes: [],
    remember: [],
    meta: { ...before.meta, watermarkMs, counts, highWaterMarks: marks },
    onward: [
      { topic: 'dead-letters.v1' as const, records: deadLetters },
      { topic: 'pin-features.v1' as const, records: published },
    ].filter(({ records }) => records.length > 0),
    cache,
    outcomes,
  }
}

/** Approximate number of rows in one commit. A record is not split, and a record of the first stage has a few thousand at most. */
const maxRowsAtOnce = 8000

/** Number of the first records that have at most `maxRows` rows together; at least one. */
function recordsOfAtMost(records: readonly LogRecord[], maxRows: number): number {
  let rows = 0
  const over = records.findIndex(({ value }) => (rows += pinEngagementRowsIn(value)) > maxRows)
  return over < 0 ? records.length : Math.max(1, over)
}

/** The first row that was not folded yet. Rows ascend, so none after it was folded. */
function firstAbove({ positions, indexes, keys }: PinEngagementRows, mark: HighWaterMark | undefined): number {
  if (mark === undefined) return 0
  let row = 0
  while (row < keys.length && !isAbove(positions[row] ?? 0, indexes[row] ?? 0, mark)) row++
  return row
}

function isAbove(position: number, index: number, mark: HighWaterMark): boolean {
  return position > mark.position || (position === mark.position && index >= mark.index)
}

/** Memory of a decoded pin (seven columns, each with about 200 bytes besides its numbers) and of each of its boards, bytes. */
const decodedBytes = 3200
const boardBytes = 100

function parse(record: LogRecord): ParsedPinEngagements {
  const { value } = record
  try {
    if (value === null) throw new ContractError('CODEC_INVALID', 'the record has no value')
    return { kind: 'rows', rows: isPinEngagementBatch(value) ? decodePinEngagementBatch(value) : single(record, value) }
  } catch (error) {
    // The record is not damaged, and a newer process can read it. A dead letter would lose its place in the order.
    if (isContractError(error, 'CODEC_NEWER')) throw error
    return badRecord(record, error)
  }
}

/** The one row of a record of an earlier version. */
function single({ key }: LogRecord, value: Uint8Array): PinEngagementRows {
  const plain = scanPinEngagement(value)
  const { scan, source } = plain ?? scannedPin(decodePinEngagement(value))
  const isAbout = plain === null ? scannedPinKeys(scan)[source.index] === key : isScannedPinKey(key, source.index, scan)
  if (!isAbout) {
    throw new ContractError(
      'CODEC_INVALID',
      `the record's key ${JSON.stringify(key.slice(0, 140))} is not what it is about`,
    )
  }
  return {
    sourcePartition: source.partition,
    positions: [source.position],
    indexes: [source.index],
    keys: [key],
    acts: [pinActOfScan(scan)],
  }
}

function scannedPin({ engagement, receivedAtMs, source }: ReturnType<typeof decodePinEngagement>) {
  return { scan: scannedOf({ engagement, receivedAtMs }), source }
}
