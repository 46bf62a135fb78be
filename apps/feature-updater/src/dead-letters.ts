import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import {
  decodeDeadLetter,
  decodeLateEngagement,
  decodePinEngagement,
  decodeReceivedEngagement,
  encodePinEngagement,
  type DeadLetter,
} from '@freshet/contracts/codecs/onward'
import {
  decodePinEngagementBatch,
  isPinEngagementBatch,
  withSource,
} from '@freshet/contracts/codecs/pin-engagement-batch'
import { decodeUserMerge, encodeHandover, isUserMerge } from '@freshet/contracts/codecs/user-merge'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { EventLog, LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { topics } from '@freshet/contracts/topics'
import type { Clock } from '@freshet/domain/clock'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { onwardHeaders } from './onward-headers.ts'

/** The topics of records that changed no state. */
export const deadLetterTopics = ['dead-letters.v1', 'engagements-late.v1'] as const
export type DeadLetterTopic = (typeof deadLetterTopics)[number]

/** The code of engagements that an earlier version did not apply because they came late. */
export const lateCode = 'EVENT_LATE'

/** A dead letter, or a late engagement as one, and where it lies. */
export interface StoredDeadLetter extends DeadLetter {
  readonly topic: DeadLetterTopic
  readonly partition: number
  readonly position: number
  /** Its trace, as its record has it. */
  readonly headers: MessageHeaders
}

/** Selects dead letters. null: any. */
export interface DeadLetterFilter {
  /** The topic that they come from, or that contains them. */
  readonly sourceTopic: string | null
  readonly code: string | null
  /** Written at or after this time, milliseconds since the epoch. */
  readonly sinceMs: number | null
  readonly key: string | null
}

/** Every letter. */
export const allDeadLetters: DeadLetterFilter = { sourceTopic: null, code: null, sinceMs: null, key: null }

/** What a replay did. */
export interface ReplayReport {
  /** Letters that matched. */
  readonly matched: number
  /** Appended to their source topic again; 0 in a dry run. */
  readonly replayed: number
  /** Letters that would become dead letters again. They are not replayed. */
  readonly stillBad: number
  /** Some of those, for people. */
  readonly examples: readonly string[]
}

type Reading = Pick<EventLog, 'starts' | 'ends' | 'readAll'>

/** The letters that match, oldest first, each source record once: one that was put aside again after a crash is the same letter. */
export async function listDeadLetters(options: {
  readonly log: Reading
  readonly filter: DeadLetterFilter
  readonly onError: (error: Error) => void
  readonly signal?: AbortSignal
}): Promise<readonly StoredDeadLetter[]> {
  const { filter, onError } = options
  const letters = new Map<string, StoredDeadLetter>()
  for (const topic of deadLetterTopics) {
    await readToEnd({
      log: options.log,
      topic,
      maxBatchRecords: 1000,
      onError,
      onRecords(partition, records) {
        for (const record of records) {
          const letter = letterOf(topic, record, partition, onError)
          if (letter === null || !matches(letter, filter)) continue
          // Two topics of one name, of which the second replaced the first, differ in the schema.
          const source = `${letter.sourceTopic}/${letter.sourcePartition}/${letter.sourcePosition}/${letter.schema}`
          if (!letters.has(source)) letters.set(source, letter)
        }
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  }
  return [...letters.values()].sort((a, b) => a.atMs - b.atMs || byPlace(a, b))
}

/** One letter by its place; null: there is none. */
export async function showDeadLetter(options: {
  readonly log: Reading
  readonly topic: DeadLetterTopic
  readonly partition: number
  readonly position: number
  readonly onError: (error: Error) => void
}): Promise<StoredDeadLetter | null> {
  let found: StoredDeadLetter | null = null
  await readToEnd({
    log: options.log,
    topic: options.topic,
    maxBatchRecords: 1000,
    onError: options.onError,
    onRecords(partition, records) {
      if (partition !== options.partition) return
      const record = records.find(({ position }) => position === options.position)
      if (record !== undefined) found = letterOf(options.topic, record, partition, options.onError)
    },
  })
  return found
}

/**
 * Appends letters, late engagements among them, to their source topic again, at most `maxPerSecond`; those that the code of
 * today still can't decode stay where they are. Doing it twice changes nothing while their ids are remembered (`fold.dedupeTtlMs`): engagements are known by their ids, re-keyed ones by the letter's place,
 * which stands in for their source (above the marks of the first stage; so those go in the order of the letters, and one
 * left out by a filter is a repeat once a later one was replayed).
 */
export async function replayDeadLetters(options: {
  readonly log: Reading & Pick<EventLog, 'append' | 'partitionCount'>
  readonly clock: Clock
  readonly filter: DeadLetterFilter
  readonly maxPerSecond: number
  readonly dryRun: boolean
  readonly signal: AbortSignal
  readonly onError: (error: Error) => void
}): Promise<ReplayReport> {
  const { log, clock, maxPerSecond, dryRun, signal } = options
  const letters = await listDeadLetters(options)
  const partitions = await log.partitionCount('pin-engagements.v1', { signal })
  const due: { readonly topic: string; readonly record: NewRecord }[] = []
  const examples: string[] = []
  let stillBad = 0
  for (const letter of inOrderOfPlace(letters)) {
    const made = replayable(letter, partitions)
    if (typeof made === 'string') {
      stillBad++
      if (examples.length < 10) examples.push(`${letter.partition}/${letter.position}: ${made}`)
    } else due.push({ topic: letter.sourceTopic, record: made })
  }
  let replayed = 0
  if (!dryRun) {
    for (const { topic, record } of due) {
      signal.throwIfAborted()
      await log.append(topic, [record], { signal })
      replayed++
      if (replayed < due.length) await clock.sleep(1000 / maxPerSecond, signal)
    }
  }
  return { matched: letters.length, replayed, stillBad, examples }
}

function inOrderOfPlace(letters: readonly StoredDeadLetter[]): readonly StoredDeadLetter[] {
  return [...letters].sort(byPlace)
}

function byPlace(a: StoredDeadLetter, b: StoredDeadLetter): number {
  return (
    deadLetterTopics.indexOf(a.topic) - deadLetterTopics.indexOf(b.topic) ||
    a.partition - b.partition ||
    a.position - b.position
  )
}

/** The record to append, or why it would become a dead letter again. */
function replayable(letter: StoredDeadLetter, partitions: number): NewRecord | string {
  try {
    if (letter.sourceTopic === 'engagements.v1') {
      if (isUserMerge(letter.value)) return { ...replayableMerge(letter, partitions), ...onwardHeaders(letter) }
      const { engagement } = decodeReceivedEngagement(letter.value)
      if (engagement.userId !== letter.key) return "the key is not the engagement's user"
      return { key: letter.key, value: letter.value, partition: null, ...onwardHeaders(letter) }
    }
    if (letter.sourceTopic === 'pin-engagements.v1')
      return { ...replayablePinEngagements(letter, partitions), ...onwardHeaders(letter) }
    return `nothing is known about replaying ${letter.sourceTopic}`
  } catch (error) {
    return (error as Error).message
  }
}

/** A merge that a user sent goes in again. The letter's place stands in for the source of a handover. Throws CODEC_INVALID and CODEC_NEWER. */
function replayableMerge({ key, value, partition, position }: StoredDeadLetter, partitions: number): NewRecord {
  const { kind, merge } = decodeUserMerge(value)
  if (kind === 'request') return { key, value, partition: null }
  const source = { partition: partitions + partition, position }
  return { key, value: encodeHandover({ ...merge, source }), partition: null }
}

/** The letter's place stands in for the source of the engagements. Throws CODEC_INVALID and CODEC_NEWER. */
function replayablePinEngagements(
  { key, value, partition, position, sourcePartition }: StoredDeadLetter,
  partitions: number,
): NewRecord {
  const from = partitions + partition
  if (isPinEngagementBatch(value)) {
    const rows = withSource(decodePinEngagementBatch(value), from, position)
    return { key: String(from), value: rows, partition: sourcePartition }
  }
  const pinEngagement = decodePinEngagement(value)
  const source = { partition: from, position, index: pinEngagement.source.index }
  return { key, value: encodePinEngagement({ ...pinEngagement, source }), partition: null }
}

function letterOf(
  topic: DeadLetterTopic,
  record: LogRecord,
  partition: number,
  onError: (error: Error) => void,
): StoredDeadLetter | null {
  if (record.value === null) return null
  try {
    const letter = topic === 'dead-letters.v1' ? decodeDeadLetter(record.value) : lateLetter(record, record.value)
    return { ...letter, topic, partition, position: record.position, headers: record.headers }
  } catch (error) {
    onError(new Error(`${topic}/${partition} at ${record.position}: ${(error as Error).message}`, { cause: error }))
    return null
  }
}

/** What an earlier version kept aside as late, as a letter: its value is the engagement as it was accepted. */
function lateLetter(record: LogRecord, value: Uint8Array): DeadLetter {
  const { engagement, receivedAtMs, sourcePartition, sourcePosition, lateByMs } = decodeLateEngagement(value)
  const hours = Math.round(lateByMs / 3_600_000)
  return {
    sourceTopic: 'engagements.v1',
    sourcePartition,
    sourcePosition,
    key: record.key,
    value: encodeEngagement(engagement, receivedAtMs),
    code: lateCode,
    message: `was ${hours} h older than the newest event of its partition; an earlier version did not apply it, a replay does`,
    schema: topics['engagements.v1'].message,
    atMs: record.appendedAtMs,
  }
}

function matches(letter: StoredDeadLetter, { sourceTopic, code, sinceMs, key }: DeadLetterFilter): boolean {
  return (
    (sourceTopic === null || letter.sourceTopic === sourceTopic || letter.topic === sourceTopic) &&
    (code === null || letter.code === code) &&
    (sinceMs === null || letter.atMs >= sinceMs) &&
    (key === null || letter.key === key)
  )
}
