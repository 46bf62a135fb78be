import {
  isScannedPinKey,
  scanPinEngagement,
  scannedOf,
  scannedPinKeys,
  textAt,
  type ScannedEngagement,
  type ScannedPinEngagement,
} from '@freshet/contracts/codecs/engagement-scan'
import { decodePinEngagement, type PinEngagement } from '@freshet/contracts/codecs/onward'
import { recordOutcomes, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { decodePinState, encodePinFeatures, encodePinState } from '@freshet/contracts/codecs/pin-state'
import { ContractError } from '@freshet/contracts/errors'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut } from '@freshet/contracts/ports/state-store'
import { positiveActions, type PinAct } from '@freshet/domain/engagement'
import { foldIntoPin, isPinKey, ownNewPin, type OwnPinState } from '@freshet/domain/pin-state'
import type { FoldConfig } from './config.ts'
import { badRecord, deadLetterRecord, type BadRecord } from './dead-letter.ts'
import type { FoldBatch, FoldBefore, FoldResult, Stage } from './stage.ts'

/** A record of `pin-engagements.v1` as read. */
export type ParsedPinEngagement =
  (ScannedPinEngagement & { readonly kind: 'engagement'; readonly record: LogRecord }) | BadRecord

/**
 * The second stage: `pin-engagements.v1` into the state of pins (and of boards, creators and topics), each new pin state
 * on to `pin-features.v1`. What the first stage sent twice, after a crash between its append and its commit, is below the
 * high-water mark of its source partition and is dropped.
 */
export function createPinStage(config: FoldConfig): Stage<ParsedPinEngagement, OwnPinState> {
  return {
    topic: 'pin-engagements.v1',
    family: 'pin',
    parse: ({ records }) => records.map(parse),
    badRecords: (parsed) => parsed.reduce((bad, { kind }) => bad + Number(kind === 'bad'), 0),
    needs(parsed, cached) {
      const known = new Set<string>()
      const keys: string[] = []
      for (const item of parsed) {
        if (item.kind === 'bad' || known.has(item.record.key)) continue
        known.add(item.record.key)
        if (cached(item.record.key) === undefined) keys.push(item.record.key)
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
  parsed: readonly ParsedPinEngagement[],
  before: FoldBefore<OwnPinState>,
  config: FoldConfig,
): FoldResult<OwnPinState> {
  const counts = { ...before.meta.counts }
  const outcomes = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<RecordOutcome, number>
  const say = (outcome: RecordOutcome) => {
    counts[outcome]++
    outcomes[outcome]++
  }
  let { watermarkMs } = before.meta
  const marks = new Map<number, OwnMark>()
  for (const [partition, { position, index }] of before.meta.highWaterMarks) marks.set(partition, { position, index })
  const accepted = new Map<string, PinAct[]>()
  const deadLetters: NewRecord[] = []

  for (const item of parsed) {
    if (item.kind === 'bad') {
      deadLetters.push(deadLetterRecord(item, 'pin-engagements.v1', batch.partition))
      say('deadLettered')
      continue
    }
    const { scan, source, record } = item
    const mark = marks.get(source.partition)
    if (!isAbove(source, mark)) {
      say('duplicate')
      continue
    }
    if (mark === undefined) marks.set(source.partition, { position: source.position, index: source.index + 1 })
    else {
      mark.position = source.position
      mark.index = source.index + 1
    }
    watermarkMs = Math.max(watermarkMs, scan.occurredAtMs)
    const list = accepted.get(record.key)
    if (list === undefined) accepted.set(record.key, [actOf(scan)])
    else list.push(actOf(scan))
    say('applied')
  }

  const puts: StatePut[] = []
  const published: NewRecord[] = []
  const cache = new Map<string, { readonly entry: OwnPinState; readonly bytes: number }>()
  const limits = { maxBoards: config.maxPinBoards }
  for (const [key, engagements] of accepted) {
    const stored = before.valueOf(key)
    // Taken from the cache or made here, so it is this batch's own; a batch that fails drops what is cached.
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

/** A high-water mark of this batch's own: raised in place. */
interface OwnMark {
  position: number
  index: number
}

function isAbove(source: Readonly<OwnMark>, mark: OwnMark | undefined): boolean {
  if (mark === undefined) return true
  return source.position > mark.position || (source.position === mark.position && source.index >= mark.index)
}

/** What a decoded pin takes in memory, and each board that it is on: seven columns with some 200 bytes beside their numbers. */
const decodedBytes = 3200
const boardBytes = 100

function actOf({ bytes, action, occurredAtMs, userAt, userTo, boardAt, boardTo, position }: ScannedEngagement): PinAct {
  return {
    action,
    occurredAtMs,
    userId: positiveActions.includes(action) ? textAt(bytes, userAt, userTo) : null,
    boardId: boardTo === boardAt ? null : textAt(bytes, boardAt, boardTo),
    shown: { position: position < 0 ? null : position },
  }
}

function parse(record: LogRecord): ParsedPinEngagement {
  const { key, value } = record
  try {
    if (value === null) throw new ContractError('CODEC_INVALID', 'the record has no value')
    const plain = scanPinEngagement(value)
    const { scan, source } = plain ?? scannedPin(decodePinEngagement(value))
    const isAbout =
      plain === null ? scannedPinKeys(scan)[source.index] === key : isScannedPinKey(key, source.index, scan)
    if (!isAbout) {
      throw new ContractError(
        'CODEC_INVALID',
        `the record's key ${JSON.stringify(key.slice(0, 140))} is not what it is about`,
      )
    }
    return { kind: 'engagement', record, scan, source }
  } catch (error) {
    return badRecord(record, error)
  }
}

function scannedPin({ engagement, receivedAtMs, source }: PinEngagement): ScannedPinEngagement {
  return { scan: scannedOf({ engagement, receivedAtMs }), source }
}
