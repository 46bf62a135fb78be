import { decodePinEngagement, decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import {
  decodePinEngagementBatch,
  isPinEngagementBatch,
  type PinEngagementRows,
} from '@freshet/contracts/codecs/pin-engagement-batch'
import { decodeUserMerge, isUserMerge, type UserMerge } from '@freshet/contracts/codecs/user-merge'
import { topics } from '@freshet/contracts/topics'
import {
  isOfOthers,
  listDeadLetters,
  showDeadLetter,
  lateCode,
  type DeadLetterFilter,
  type DeadLetterTopic,
  type ListedDeadLetter,
  type StoredDeadLetter,
} from '@freshet/feature-updater/dead-letters'
import { replayDeadLetters, type ReplayReport } from '@freshet/feature-updater/replay-dead-letters'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError, whole } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { foreignLetters, readForeignSettings, type ForeignArguments } from './foreign-letters.ts'
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
    const replayed = deadLetters.filter(({ isReplayed }) => isReplayed).length
    const ofReplayed = replayed === 0 ? '' : `, ${replayed} of them replayed`
    const ofLate = late === 0 ? '' : `, ${late} late ${late === 1 ? 'event' : 'events'} (code ${lateCode})`
    terminal.write(`${dead} dead ${dead === 1 ? 'letter' : 'letters'}${ofReplayed}${ofLate}\n`)
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
  given: DeadLetterArguments & ForeignArguments & { readonly rate: string; readonly dryRun?: boolean },
  terminal: Terminal,
): Promise<void> {
  const filter = parseFilter(given)
  const settings = readForeignSettings(given)
  const maxPerSecond = whole(given.rate, '--rate', 1, 1_000_000)
  return withOpen(openLog(given), async ({ log, clock }) => {
    const progress = createProgress({
      label: 'replaying',
      unit: 'dead letters',
      total: null,
      out: terminal.progress,
      nowMs: terminal.nowMs,
    })
    const append: OpenLog['log']['append'] = async (topic, ...call) => {
      const positions = await log.append(topic, ...call)
      if (topic !== 'dead-letters.v1') progress.advance()
      return positions
    }
    const dryRun = given.dryRun ?? false
    const { signal } = terminal
    const onError = warn(terminal)
    const report = await replayDeadLetters({
      ...{ log: { ...log, append }, clock, filter, maxPerSecond, dryRun, signal, onError },
      foreign: foreignLetters({ log, clock, settings, onError, signal }),
    })
    if (!dryRun) progress.done()
    terminal.write(`${describeReplay(report, dryRun)}\n`)
    for (const example of report.examples) terminal.write(`  ${example}\n`)
  })
}

/** What a replay did, on one line. */
function describeReplay(report: ReplayReport, dryRun: boolean): string {
  const counts: readonly (readonly [count: number, text: string])[] = [
    [report.alreadyReplayed, 'replayed before'],
    [report.erased, 'of users who were erased'],
    [report.skipped, 'without a consequence by the mapping'],
  ]
  const done = dryRun ? `${report.replayable} would be replayed` : `${report.replayed} replayed`
  const others = counts.flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`]))
  return [`${report.matched} match`, done, ...others, `${report.stillBad} still cannot be read`].join(', ')
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

function formatLine(deadLetter: ListedDeadLetter): string {
  const place = `${deadLetter.topic === 'dead-letters.v1' ? '' : 'late/'}${deadLetter.partition}/${deadLetter.position}`
  const source = `${deadLetter.sourceTopic}/${deadLetter.sourcePartition}@${deadLetter.sourcePosition}`
  const time = new Date(deadLetter.atMs).toISOString()
  const replayed = deadLetter.isReplayed ? ' (replayed)' : ''
  return `${place.padEnd(12)} ${time}  ${source}  ${deadLetter.key}  ${deadLetter.code}: ${deadLetter.message}${replayed}`
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
