import { decodePinEngagement, decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import {
  decodePinEngagementBatch,
  isPinEngagementBatch,
  type PinEngagementRows,
} from '@freshet/contracts/codecs/pin-engagement-batch'
import { topics } from '@freshet/contracts/topics'
import {
  listDeadLetters,
  replayDeadLetters,
  showDeadLetter,
  lateCode,
  type LetterFilter,
  type LetterTopic,
  type StoredLetter,
} from '@freshet/feature-updater/dead-letters'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError, whole } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { openLog, withOpen, type OpenLog, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** Which letters, as text. */
export interface LetterArguments extends PlatformArguments {
  readonly topic?: string
  readonly code?: string
  readonly since?: string
  readonly key?: string
}

/** `freshet dlq list`. */
export async function runDlqList(
  given: LetterArguments & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const filter = filterOf(given)
  return withOpen(openLog(given), async ({ log }) => {
    const letters = await listDeadLetters({ log, filter, onError: warn(terminal), signal: terminal.signal })
    if (given.json === true) {
      for (const { value, ...letter } of letters)
        terminal.write(`${JSON.stringify({ ...letter, valueBytes: value.length })}\n`)
      return
    }
    for (const letter of letters) terminal.write(`${line(letter)}\n`)
    const late = letters.filter(({ topic }) => topic === 'engagements-late.v1').length
    const dead = letters.length - late
    const ofLate = late === 0 ? '' : `, ${late} late ${late === 1 ? 'event' : 'events'} (code ${lateCode})`
    terminal.write(`${dead} dead ${dead === 1 ? 'letter' : 'letters'}${ofLate}\n`)
  })
}

/** `freshet dlq show PARTITION/POSITION`: one letter with its bytes, and what today's code makes of them. */
export async function runDlqShow(place: string, given: PlatformArguments, terminal: Terminal): Promise<void> {
  const [, late, partition, position] = /^(late\/)?(\d{1,7})\/(\d{1,15})$/.exec(place) ?? []
  if (partition === undefined || position === undefined)
    throw new ArgumentError(
      `${place} is no place of a letter; give PARTITION/POSITION, or late/PARTITION/POSITION, as \`freshet dlq list\` shows it`,
    )
  return withOpen(openLog(given), async ({ log }) => {
    const topic: LetterTopic = late === undefined ? 'dead-letters.v1' : 'engagements-late.v1'
    const at = { topic, partition: Number(partition), position: Number(position) }
    const letter = await showDeadLetter({ log, ...at, onError: warn(terminal) })
    if (letter === null) throw new OperationError('DEAD_LETTER_MISSING', `${topic} contains no dead letter at ${place}`)
    const rows: readonly (readonly [string, string])[] = [
      ['place', place],
      ['put aside', new Date(letter.atMs).toISOString()],
      ['from', `${letter.sourceTopic}/${letter.sourcePartition} at ${letter.sourcePosition}`],
      ['key', letter.key],
      ['error', `${letter.code}: ${letter.message}`],
      ['expected', letter.schema],
      ['today', readToday(letter)],
      ['bytes', String(letter.value.length)],
      ['base64', Buffer.from(letter.value).toString('base64')],
    ]
    for (const [name, text] of rows) terminal.write(`${name.padEnd(10)} ${text}\n`)
  })
}

/** `freshet dlq replay`: appends letters to their topics again; doing it twice changes nothing. */
export async function runDlqReplay(
  given: LetterArguments & { readonly rate: string; readonly dryRun?: boolean },
  terminal: Terminal,
): Promise<void> {
  const filter = filterOf(given)
  const maxPerSecond = whole(given.rate, '--rate', 1, 1_000_000)
  return withOpen(openLog(given), async ({ log, clock }) => {
    const progress = createProgress({
      label: 'replaying',
      unit: 'letters',
      total: null,
      out: terminal.progress,
      nowMs: terminal.nowMs,
    })
    const append: OpenLog['log']['append'] = async (...call) => {
      const positions = await log.append(...call)
      progress.advance()
      return positions
    }
    const dryRun = given.dryRun ?? false
    const report = await replayDeadLetters({
      log: { ...log, append },
      clock,
      filter,
      maxPerSecond,
      dryRun,
      signal: terminal.signal,
      onError: warn(terminal),
    })
    if (!dryRun) progress.done()
    const able = report.matched - report.stillBad
    const done = dryRun ? `${able} would be replayed` : `${report.replayed} replayed`
    terminal.write(`${report.matched} match, ${done}, ${report.stillBad} still cannot be read\n`)
    for (const example of report.examples) terminal.write(`  ${example}\n`)
  })
}

function filterOf({ topic, code, since, key }: LetterArguments): LetterFilter {
  const sinceMs = since === undefined ? null : Date.parse(since)
  if (Number.isNaN(sinceMs)) throw new ArgumentError(`--since is ${since}; give a time such as 2026-01-31T08:00:00Z`)
  if (topic !== undefined && !(topic in topics))
    throw new ArgumentError(`--topic is ${topic}; there are ${Object.keys(topics).join(', ')}`)
  return { sourceTopic: topic ?? null, code: code ?? null, sinceMs, key: key ?? null }
}

function line(letter: StoredLetter): string {
  const place = `${letter.topic === 'dead-letters.v1' ? '' : 'late/'}${letter.partition}/${letter.position}`
  const source = `${letter.sourceTopic}/${letter.sourcePartition}@${letter.sourcePosition}`
  const time = new Date(letter.atMs).toISOString()
  return `${place.padEnd(12)} ${time}  ${source}  ${letter.key}  ${letter.code}: ${letter.message}`
}

function readToday({ sourceTopic, value }: StoredLetter): string {
  try {
    if (sourceTopic === 'engagements.v1') return JSON.stringify(decodeReceivedEngagement(value))
    if (sourceTopic === 'pin-engagements.v1' && isPinEngagementBatch(value))
      return JSON.stringify(listedRows(decodePinEngagementBatch(value)))
    if (sourceTopic === 'pin-engagements.v1') return JSON.stringify(decodePinEngagement(value))
    return `nothing is known about reading ${sourceTopic}`
  } catch (error) {
    return `still cannot be read: ${(error as Error).message}`
  }
}

/** Rows of a batch, one by one. */
function listedRows({ sourcePartition, positions, indexes, keys, acts }: PinEngagementRows) {
  const rows = keys.map((key, row) => ({
    key,
    ...acts[row],
    sourcePosition: positions[row],
    sourceIndex: indexes[row],
  }))
  return { sourcePartition, rows }
}

function warn(terminal: Terminal): (error: Error) => void {
  return (error) => terminal.progress.write(`freshet: ${error.message}; trying again\n`)
}
