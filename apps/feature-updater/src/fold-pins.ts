import { decodePinEngagement, type PinEngagement } from '@freshet/contracts/codecs/onward'
import { recordOutcomes, type HighWaterMark, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { decodePinState, encodePinFeatures, encodePinState } from '@freshet/contracts/codecs/pin-state'
import { ContractError } from '@freshet/contracts/errors'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut } from '@freshet/contracts/ports/state-store'
import type { Engagement } from '@freshet/domain/engagement'
import { foldPin, isPinKey, newPinState, pinStateKeys, type PinState } from '@freshet/domain/pin-state'
import type { FoldConfig } from './config.ts'
import { badRecord, deadLetterRecord, type BadRecord } from './dead-letter.ts'
import type { FoldBatch, FoldBefore, FoldResult, Stage } from './stage.ts'

/** A record of `pin-engagements.v1` as read. */
export type ParsedPinEngagement =
  (PinEngagement & { readonly kind: 'engagement'; readonly record: LogRecord }) | BadRecord

/**
 * The second stage: `pin-engagements.v1` into the state of pins (and of boards, creators and topics), each new pin state
 * on to `pin-features.v1`. What the first stage sent twice, after a crash between its append and its commit, is below the
 * high-water mark of its source partition and is dropped.
 */
export function createPinStage(config: FoldConfig): Stage<ParsedPinEngagement, PinState> {
  return {
    topic: 'pin-engagements.v1',
    family: 'pin',
    parse: ({ records }) => records.map(parse),
    needs(parsed) {
      const keys = new Set<string>()
      let badRecords = 0
      for (const item of parsed) {
        if (item.kind === 'bad') badRecords++
        else keys.add(item.record.key)
      }
      return { keys: [...keys], hashes: new BigUint64Array(0), badRecords }
    },
    generations: () => [],
    decode: decodePinState,
    fold: (batch, parsed, before) => foldPinBatch(batch, parsed, before, config),
  }
}

function foldPinBatch(
  batch: FoldBatch,
  parsed: readonly ParsedPinEngagement[],
  before: FoldBefore<PinState>,
  config: FoldConfig,
): FoldResult<PinState> {
  const counts = { ...before.meta.counts }
  const outcomes = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<RecordOutcome, number>
  const say = (outcome: RecordOutcome) => {
    counts[outcome]++
    outcomes[outcome]++
  }
  let { watermarkMs } = before.meta
  const marks = new Map(before.meta.highWaterMarks)
  const accepted = new Map<string, Engagement[]>()
  const deadLetters: NewRecord[] = []

  for (const item of parsed) {
    if (item.kind === 'bad') {
      deadLetters.push(deadLetterRecord(item, 'pin-engagements.v1', batch.partition))
      say('deadLettered')
      continue
    }
    const { engagement, source, record } = item
    if (!isAbove(source, marks.get(source.partition))) {
      say('duplicate')
      continue
    }
    marks.set(source.partition, { position: source.position, index: source.index + 1 })
    watermarkMs = Math.max(watermarkMs, engagement.occurredAtMs)
    const list = accepted.get(record.key)
    if (list === undefined) accepted.set(record.key, [engagement])
    else list.push(engagement)
    say('applied')
  }

  const puts: StatePut[] = []
  const published: NewRecord[] = []
  const states = new Map<string, { readonly state: PinState; readonly bytes: number }>()
  const limits = { maxBoards: config.maxPinBoards }
  for (const [key, engagements] of accepted) {
    const state = foldPin(before.stateOf(key) ?? newPinState, engagements, limits)
    const value = encodePinState(state)
    puts.push({ key, value, ttlMs: config.pinTtlMs })
    states.set(key, { state, bytes: value.length })
    if (isPinKey(key)) published.push({ key, partition: null, value: encodePinFeatures(key, value, batch.next) })
  }
  return {
    puts,
    deletes: [],
    remember: [],
    meta: { watermarkMs, counts, highWaterMarks: marks },
    onward: [
      { topic: 'dead-letters.v1' as const, records: deadLetters },
      { topic: 'pin-features.v1' as const, records: published },
    ].filter(({ records }) => records.length > 0),
    states,
    outcomes,
  }
}

function isAbove(
  source: { readonly position: number; readonly index: number },
  mark: HighWaterMark | undefined,
): boolean {
  if (mark === undefined) return true
  return source.position > mark.position || (source.position === mark.position && source.index >= mark.index)
}

function parse(record: LogRecord): ParsedPinEngagement {
  try {
    if (record.value === null) throw new ContractError('CODEC_INVALID', 'the record has no value')
    const pinEngagement = decodePinEngagement(record.value)
    if (pinStateKeys(pinEngagement.engagement)[pinEngagement.source.index] !== record.key) {
      throw new ContractError(
        'CODEC_INVALID',
        `the record's key ${JSON.stringify(record.key.slice(0, 140))} is not what it is about`,
      )
    }
    return { kind: 'engagement', record, ...pinEngagement }
  } catch (error) {
    return badRecord(record, error)
  }
}
