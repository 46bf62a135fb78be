import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import {
  deadLetterTopics,
  listDeadLetters,
  showDeadLetter,
  type DeadLetterTopic,
  type ListedDeadLetter,
  type StoredDeadLetter,
} from '@freshet/feature-updater/dead-letters'
import { replayDeadLetters, type ReplayReport } from '@freshet/feature-updater/replay-dead-letters'
import { describeValue, parseFilter } from '../../operations/dead-letters.ts'
import { OperationError } from '../../operations/errors.ts'
import { foreignLetters, type ForeignSettings } from '../../operations/foreign-letters.ts'

/** Which dead letters to take, as text of a query. */
export interface DeadLetterQuery {
  readonly topic?: string
  readonly code?: string
  readonly key?: string
}

/** A dead letter of the list. */
export type DeadLetterJson = Omit<ListedDeadLetter, 'value' | 'headers'> & { readonly valueBytes: number }

/** The newest dead letters, with counts of all that match by code. */
export interface DeadLetterList {
  readonly matched: number
  readonly byCode: Readonly<Record<string, number>>
  /** The newest first. */
  readonly letters: readonly DeadLetterJson[]
}

/** The log with the dead letters. */
export interface DeadLetterPorts {
  readonly log: EventLog
  readonly clock: Clock
  readonly onError: (error: Error) => void
}

const maxListed = 200
/** A replay must not crowd out live events. */
const replaysPerSecond = 1_000

/** The dead letters that match. Throws an ArgumentError for an unknown topic. */
export async function deadLetterList(
  { log, onError }: DeadLetterPorts,
  query: DeadLetterQuery,
  signal: AbortSignal,
): Promise<DeadLetterList> {
  const all = await listDeadLetters({ log, filter: parseFilter(query), onError, signal })
  const byCode: Record<string, number> = {}
  for (const { code } of all) byCode[code] = (byCode[code] ?? 0) + 1
  return { matched: all.length, byCode, letters: all.slice(-maxListed).toReversed().map(letterJson) }
}

/** One dead letter with its bytes, and how this version reads them. Throws DEAD_LETTER_MISSING. */
export async function deadLetterAt(
  { log, onError }: DeadLetterPorts,
  place: { readonly topic: string; readonly partition: number; readonly position: number },
) {
  const { topic, partition, position } = place
  const letter = isDeadLetterTopic(topic) ? await showDeadLetter({ log, topic, partition, position, onError }) : null
  if (letter === null)
    throw new OperationError('DEAD_LETTER_MISSING', `${topic} has no dead letter at ${partition}/${position}`)
  return { ...letterJson(letter), decoded: describeValue(letter), base64: Buffer.from(letter.value).toString('base64') }
}

/** Appends the dead letters that match to their topics again. `dryRun`: only says what it would do. */
export function replayMatching(
  { log, clock, onError, foreign: settings }: DeadLetterPorts & { readonly foreign: ForeignSettings },
  query: DeadLetterQuery,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<ReplayReport> {
  const filter = parseFilter(query)
  const foreign = foreignLetters({ log, clock, settings, onError, signal })
  return replayDeadLetters({ log, clock, filter, maxPerSecond: replaysPerSecond, dryRun, signal, onError, foreign })
}

function isDeadLetterTopic(topic: string): topic is DeadLetterTopic {
  return (deadLetterTopics as readonly string[]).includes(topic)
}

function letterJson<Letter extends StoredDeadLetter>({ value, headers: _headers, ...letter }: Letter) {
  return { ...letter, valueBytes: value.length }
}
