import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodeDeadLetter, decodeLateEngagement, type DeadLetter } from '@freshet/contracts/codecs/onward'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { topics } from '@freshet/contracts/topics'
import { readToEnd } from '@freshet/contracts/read-to-end'

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

/** A dead letter of the list. */
export interface ListedDeadLetter extends StoredDeadLetter {
  /** A replay has noted that its event is in the log. Only events of other systems are noted: of all else the fold itself drops repeats. */
  readonly isReplayed: boolean
}

/** The code of the note that a letter of another system was replayed: a letter of the same source without a value. */
export const replayedCode = 'LETTER_REPLAYED'

/** Whether letters of this topic are events of another system, which connectors put aside as text. */
export function isOfOthers(sourceTopic: string): boolean {
  return /^(source|http):./.test(sourceTopic)
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

/** The log, to read it. */
export type Reading = Pick<EventLog, 'starts' | 'ends' | 'readAll'>

/** The letters that match, oldest first, each source record once: one that was put aside again after a crash is the same letter. */
export async function listDeadLetters(options: {
  readonly log: Reading
  readonly filter: DeadLetterFilter
  readonly onError: (error: Error) => void
  readonly signal?: AbortSignal
}): Promise<readonly ListedDeadLetter[]> {
  const { filter, onError } = options
  const letters = new Map<string, StoredDeadLetter>()
  const replayed = new Set<string>()
  for (const topic of deadLetterTopics) {
    await readToEnd({
      log: options.log,
      topic,
      maxBatchRecords: 1000,
      onError,
      onRecords(partition, records) {
        for (const record of records) {
          const letter = letterOf(topic, record, partition, onError)
          if (letter === null) continue
          if (letter.code === replayedCode) replayed.add(sourceOf(letter))
          else if (matches(letter, filter) && !letters.has(sourceOf(letter))) letters.set(sourceOf(letter), letter)
        }
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  }
  return [...letters]
    .map(([source, letter]) => ({ ...letter, isReplayed: replayed.has(source) }))
    .sort((a, b) => a.atMs - b.atMs || byPlace(a, b))
}

/** Names the record that a letter is about. Two topics of one name, of which the second replaced the first, differ in the schema. */
function sourceOf({ sourceTopic, sourcePartition, sourcePosition, schema }: DeadLetter): string {
  return `${sourceTopic}/${sourcePartition}/${sourcePosition}/${schema}`
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

/** The order of letters in their topics. */
export function byPlace(a: StoredDeadLetter, b: StoredDeadLetter): number {
  return (
    deadLetterTopics.indexOf(a.topic) - deadLetterTopics.indexOf(b.topic) ||
    a.partition - b.partition ||
    a.position - b.position
  )
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
