import { decodePinEngagement, decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import {
  decodePinEngagementBatch,
  isPinEngagementBatch,
  type PinEngagementRows,
} from '@freshet/contracts/codecs/pin-engagement-batch'
import { decodeUserMerge, isUserMerge, type UserMerge } from '@freshet/contracts/codecs/user-merge'
import { topics } from '@freshet/contracts/topics'
import {
  listDeadLetters,
  replayDeadLetters,
  showDeadLetter,
  lateCode,
  type DeadLetterFilter,
  type DeadLetterTopic,
  type StoredDeadLetter,
} from '@freshet/feature-updater/dead-letters'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError, whole } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { openLog, withOpen, type OpenLog, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** The options that select dead letters, as text. */
export interface DeadLetterArguments extends PlatformArguments {
  readonly topic?: string
  readonly code?: string
  readonly since?: string
  readonly key?: string
}

/** `freshet dlq list`. */
export async function runDlqList(
  given: DeadLetterArguments & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const filter = parseFilter(given)
  return withOpen(openLog(given), async ({ log }) => {
    const deadLetters = await listDeadLetters({ log, filter, onError: warn(terminal), signal: terminal.signal })
    if (given.json === true) {
      for (const { value, ...deadLetter } of deadLetters)
        terminal.write(`${JSON.stringify({ ...deadLetter, valueBytes: value.length })}\n`)
      return
    }
    for (const deadLetter of deadLetters) terminal.write(`${formatLine(deadLetter)}\n`)
    const late = deadLetters.filter(({ topic }) => topic === 'engagements-late.v1').length
    const dead = deadLetters.length - late
    const ofLate = late === 0 ? '' : `, ${late} late ${late === 1 ? 'event' : 'events'} (code ${lateCode})`
    terminal.write(`${dead} dead ${dead === 1 ? 'letter' : 'letters'}${ofLate}\n`)
  })
}

/** `freshet dlq show PARTITION/POSITION`: prints one dead letter: its bytes, and how this version reads them. */
export async function runDlqShow(place: string, given: PlatformArguments, terminal: Terminal): Promise<void> {
  const [, late, partition, position] = /^(late\/)?(\d{1,7})\/(\d{1,15})$/.exec(place) ?? []
  if (partition === undefined || position === undefined)
    throw new ArgumentError(
      `${place} is not the place of a dead letter; give PARTITION/POSITION or late/PARTITION/POSITION, as \`freshet dlq list\` prints it`,
    )
  return withOpen(openLog(given), async ({ log }) => {
    const topic: DeadLetterTopic = late === undefined ? 'dead-letters.v1' : 'engagements-late.v1'
    const at = { topic, partition: Number(partition), position: Number(position) }
    const deadLetter = await showDeadLetter({ log, ...at, onError: warn(terminal) })
    if (deadLetter === null)
      throw new OperationError('DEAD_LETTER_MISSING', `${topic} contains no dead letter at ${place}`)
    const rows: readonly (readonly [string, string])[] = [
      ['place', place],
      ['stored', new Date(deadLetter.atMs).toISOString()],
      ['from', `${deadLetter.sourceTopic}/${deadLetter.sourcePartition} at ${deadLetter.sourcePosition}`],
      ['key', deadLetter.key],
      ['error', `${deadLetter.code}: ${deadLetter.message}`],
      ['expected', deadLetter.schema],
      ['decoded', describeValue(deadLetter)],
      ['bytes', String(deadLetter.value.length)],
      ['base64', Buffer.from(deadLetter.value).toString('base64')],
    ]
    for (const [name, text] of rows) terminal.write(`${name.padEnd(10)} ${text}\n`)
  })
}

/** `freshet dlq replay`: appends dead letters to their topics again. A second run changes nothing. */
export async function runDlqReplay(
  given: DeadLetterArguments & { readonly rate: string; readonly dryRun?: boolean },
  terminal: Terminal,
): Promise<void> {
  const filter = parseFilter(given)
  const maxPerSecond = whole(given.rate, '--rate', 1, 1_000_000)
  return withOpen(openLog(given), async ({ log, clock }) => {
    const progress = createProgress({
      label: 'replaying',
      unit: 'dead letters',
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

/** Checks the options that select dead letters. Throws an ArgumentError. */
export function parseFilter({ topic, code, since, key }: DeadLetterArguments): DeadLetterFilter {
  const sinceMs = since === undefined ? null : Date.parse(since)
  if (Number.isNaN(sinceMs)) throw new ArgumentError(`--since is ${since}; give a time such as 2026-01-31T08:00:00Z`)
  if (topic !== undefined && !(topic in topics) && !isOfOthers(topic))
    throw new ArgumentError(
      `--topic is ${topic}; topics are ${Object.keys(topics).join(', ')}, source:TOPIC and http:segment`,
    )
  return { sourceTopic: topic ?? null, code: code ?? null, sinceMs, key: key ?? null }
}

/** Whether dead letters of this topic are events of another system, which connectors put aside as text. */
function isOfOthers(topic: string): boolean {
  return /^(source|http):./.test(topic)
}

function formatLine(deadLetter: StoredDeadLetter): string {
  const place = `${deadLetter.topic === 'dead-letters.v1' ? '' : 'late/'}${deadLetter.partition}/${deadLetter.position}`
  const source = `${deadLetter.sourceTopic}/${deadLetter.sourcePartition}@${deadLetter.sourcePosition}`
  const time = new Date(deadLetter.atMs).toISOString()
  return `${place.padEnd(12)} ${time}  ${source}  ${deadLetter.key}  ${deadLetter.code}: ${deadLetter.message}`
}

/** How this version reads the bytes of a dead letter. */
export function describeValue({ sourceTopic, value }: StoredDeadLetter): string {
  if (isOfOthers(sourceTopic)) return Buffer.from(value).toString()
  try {
    if (sourceTopic === 'engagements.v1' && isUserMerge(value)) return JSON.stringify(listMerge(decodeUserMerge(value)))
    if (sourceTopic === 'engagements.v1') return JSON.stringify(decodeReceivedEngagement(value))
    if (sourceTopic === 'pin-engagements.v1' && isPinEngagementBatch(value))
      return JSON.stringify(listRows(decodePinEngagementBatch(value)))
    if (sourceTopic === 'pin-engagements.v1') return JSON.stringify(decodePinEngagement(value))
    return `this version cannot read records of ${sourceTopic}`
  } catch (error) {
    return `still cannot be read: ${(error as Error).message}`
  }
}

/** A merge without the bytes that it hands over. */
function listMerge(read: UserMerge) {
  if (read.kind === 'request') return read.merge
  const { content, ...merge } = read.merge
  return { ...merge, content: content.kind, bytes: content.bytes.length }
}

/** The rows of a batch as a list of objects. */
function listRows({ sourcePartition, positions, indexes, keys, acts }: PinEngagementRows) {
  const rows = keys.map((key, row) => ({
    key,
    ...acts[row],
    sourcePosition: positions[row],
    sourceIndex: indexes[row],
  }))
  return { sourcePartition, rows }
}

function warn(terminal: Terminal): (error: Error) => void {
  return (error) => terminal.progress.write(`freshet: ${error.message}; retrying\n`)
}
