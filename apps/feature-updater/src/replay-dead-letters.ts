import {
  decodePinEngagement,
  decodeReceivedEngagement,
  encodeDeadLetter,
  encodePinEngagement,
} from '@freshet/contracts/codecs/onward'
import {
  decodePinEngagementBatch,
  isPinEngagementBatch,
  withSource,
} from '@freshet/contracts/codecs/pin-engagement-batch'
import { decodeUserMerge, encodeHandover, isUserMerge } from '@freshet/contracts/codecs/user-merge'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import {
  byPlace,
  isOfOthers,
  listDeadLetters,
  replayedCode,
  type DeadLetterFilter,
  type Reading,
  type StoredDeadLetter,
} from './dead-letters.ts'
import { onwardHeaders } from './onward-headers.ts'

/** What a letter with an event of another system is today: the record to append, or why there is none. */
export type ForeignLetter =
  | { readonly kind: 'record'; readonly record: NewRecord }
  /** The event has no consequence by the mapping, which is no mistake. */
  | { readonly kind: 'skipped'; readonly message: string }
  /** It is about a user who was erased. */
  | { readonly kind: 'erased' }
  | { readonly kind: 'bad'; readonly message: string }

/** Reads a letter with an event of another system. */
export type ReadForeignLetter = (letter: StoredDeadLetter) => Promise<ForeignLetter>

/** What a replay did. Law: matched = replayable + alreadyReplayed + erased + skipped + stillBad. */
export interface ReplayReport {
  /** Letters that matched. */
  readonly matched: number
  /** Letters that can be applied. */
  readonly replayable: number
  /** Of those, appended to the log; 0 in a dry run. */
  readonly replayed: number
  /** Letters of other systems that a replay has applied before. */
  readonly alreadyReplayed: number
  /** Letters of other systems about users who were erased. */
  readonly erased: number
  /** Letters of other systems whose events have no consequence by the mapping. */
  readonly skipped: number
  /** Letters that would become dead letters again. They are not replayed. */
  readonly stillBad: number
  /** Some that were skipped or are still bad, for people. */
  readonly examples: readonly string[]
}

/**
 * Appends letters, late engagements among them, to their source topic again, at most `maxPerSecond`; those that the code of
 * today still can't decode stay where they are. Doing it twice changes nothing while their ids are remembered (`fold.dedupeWindowMs`): engagements are known by their ids, re-keyed ones by the letter's place,
 * which stands in for their source (above the marks of the first stage; so those go in the order of the letters, and one
 * left out by a filter is a repeat once a later one was replayed).
 *
 * Events of other systems become records of `engagements.v1` by `foreign`. A note in `dead-letters.v1` says that the log has
 * one, so a later replay leaves it out, however late it is. Their ids tell repeats if a replay dies between the two.
 */
export async function replayDeadLetters(options: {
  readonly log: Reading & Pick<EventLog, 'append' | 'partitionCount'>
  readonly clock: Clock
  readonly filter: DeadLetterFilter
  readonly maxPerSecond: number
  readonly dryRun: boolean
  readonly signal: AbortSignal
  readonly onError: (error: Error) => void
  /** Absent: events of other systems are not replayed. */
  readonly foreign?: ReadForeignLetter
}): Promise<ReplayReport> {
  const { log, clock, maxPerSecond, dryRun, signal, foreign } = options
  const letters = await listDeadLetters(options)
  const partitions = await log.partitionCount('pin-engagements.v1', { signal })
  const due: Due[] = []
  const counts = { alreadyReplayed: 0, erased: 0, skipped: 0, stillBad: 0 }
  const examples: string[] = []
  const leftOut = (kind: 'skipped' | 'stillBad', { partition, position }: StoredDeadLetter, why: string): void => {
    counts[kind]++
    if (examples.length < 10) examples.push(`${partition}/${position}: ${why}`)
  }
  for (const letter of [...letters].sort(byPlace)) {
    signal.throwIfAborted()
    if (letter.isReplayed) counts.alreadyReplayed++
    else if (foreign !== undefined && isOfOthers(letter.sourceTopic)) {
      const read = await foreign(letter)
      if (read.kind === 'record')
        due.push({ topic: 'engagements.v1', record: read.record, note: noteOf(letter, clock.now()) })
      else if (read.kind === 'erased') counts.erased++
      else leftOut(read.kind === 'skipped' ? 'skipped' : 'stillBad', letter, read.message)
    } else {
      const made = replayable(letter, partitions)
      if (typeof made === 'string') leftOut('stillBad', letter, made)
      else due.push({ topic: letter.sourceTopic, record: made, note: null })
    }
  }
  let replayed = 0
  if (!dryRun) {
    for (const { topic, record, note } of due) {
      signal.throwIfAborted()
      await log.append(topic, [record], { signal })
      // Not with the signal: the event is in the log, so the note belongs there too.
      if (note !== null) await log.append('dead-letters.v1', [note])
      replayed++
      if (replayed < due.length) await clock.sleep(1000 / maxPerSecond, signal)
    }
  }
  return { matched: letters.length, replayable: due.length, replayed, ...counts, examples }
}

/** A record to append, and what to append after it. */
interface Due {
  readonly topic: string
  readonly record: NewRecord
  readonly note: NewRecord | null
}

/** The note that a letter was replayed. It has the key of the letter, so an export of the user finds it. */
function noteOf(
  { topic: _topic, partition, position, headers: _headers, ...letter }: StoredDeadLetter,
  atMs: number,
): NewRecord {
  const message = `the dead letter ${partition}/${position} was replayed`
  const value = encodeDeadLetter({ ...letter, value: new Uint8Array(), code: replayedCode, message, atMs })
  return { key: letter.key, value, partition: null }
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
