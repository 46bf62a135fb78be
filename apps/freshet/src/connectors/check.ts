import { readFile } from 'node:fs/promises'
import { isJsonObject } from '@freshet/contracts/json/fields'
import type { IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime } from '@freshet/contracts/json/time'
import { readCloudEvent, type ReadEvent } from '@freshet/event-ingest/connectors/cloudevents'
import { eventIdOf, mapEvent } from '@freshet/event-ingest/connectors/map-event'
import {
  connectorFormats,
  identifyCall,
  type ConnectorFormat,
  type ConnectorMapping,
} from '@freshet/event-ingest/connectors/mapping'
import { readMappingFile } from '@freshet/event-ingest/connectors/mapping-file'
import { readSegmentEvent, segmentCalls } from '@freshet/event-ingest/connectors/segment'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from '../operations/errors.ts'
import type { Terminal } from '../operations/terminal.ts'

/** Options of `freshet connectors check`. */
export interface CheckArguments {
  readonly event?: string
  readonly format?: string
}

/** `freshet connectors check`: reads a mapping file, and shows how it reads events that arrive at `nowMs` (since the epoch). Throws EVENTS_REJECTED if it refuses one. */
export async function runConnectorsCheck(
  file: string,
  given: CheckArguments,
  terminal: Terminal,
  nowMs: number,
): Promise<void> {
  const format = formatIn(given.format)
  const mapping = readMappingFile(file)
  if (given.event === undefined) {
    for (const each of connectorFormats) terminal.write(`${each}: ${describe(each, mapping)}\n`)
    return
  }
  const { events, list } = eventsIn(await readEvents(given.event))
  let refused = 0
  for (const [index, event] of events.entries()) {
    const at = list === null ? '' : `${list}[${index}]`
    const read = readAs(format ?? formatOf(event), event, { at, arrivedAtMs: nowMs }, mapping)
    const { lines, isRefused } = linesOf(read)
    if (isRefused) refused++
    terminal.write(lines.map((line) => `${at === '' ? '' : `${at}: `}${line}\n`).join(''))
  }
  if (refused > 0)
    throw new OperationError('EVENTS_REJECTED', `${refused} of ${events.length} events would be rejected`)
}

function formatIn(name: string | undefined): ConnectorFormat | null {
  if (name === undefined) return null
  const format = connectorFormats.find((each) => each === name)
  if (format === undefined) throw new ArgumentError(`--format is ${name}; give one of ${connectorFormats.join(', ')}`)
  return format
}

function describe(format: ConnectorFormat, mapping: ConnectorMapping): string {
  const { events } = mapping[format]
  const names = [...events.keys()].filter((name) => name !== identifyCall)
  const dropped = names.filter((name) => events.get(name)?.kind === 'drop').length
  const identify = format === 'segment' ? `; identify: ${events.get(identifyCall)?.kind ?? 'drop'}` : ''
  return `${names.length - dropped} names with a rule, ${dropped} dropped${identify}`
}

async function readEvents(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new ArgumentError(`--event ${file} is not JSON: ${(error as Error).message}`)
  }
}

/** The events of a file, and the name of their list; null: the file is one event. */
function eventsIn(value: unknown): { readonly events: readonly unknown[]; readonly list: string | null } {
  if (Array.isArray(value)) return { events: value, list: '' }
  const batch = isJsonObject(value) ? value['batch'] : undefined
  return Array.isArray(batch) ? { events: batch, list: 'batch' } : { events: [value], list: null }
}

function formatOf(event: unknown): ConnectorFormat {
  if (!isJsonObject(event)) return 'json'
  if ('specversion' in event) return 'cloudevents'
  const isCall = (segmentCalls as readonly unknown[]).includes(event['type'])
  return isCall || 'messageId' in event ? 'segment' : 'json'
}

function readAs(
  format: ConnectorFormat,
  event: unknown,
  arrival: Parameters<typeof readCloudEvent>[1],
  mapping: ConnectorMapping,
): ReadEvent {
  if (format === 'cloudevents') return readCloudEvent(event, arrival, mapping)
  if (format === 'segment') return readSegmentEvent(event, null, arrival, mapping)
  const eventId = eventIdOf('sample', JSON.stringify(event) ?? '')
  return { id: '', mapped: mapEvent({ ...arrival, document: event, eventId }, mapping.json), raw: event }
}

function linesOf({ mapped }: ReadEvent): { readonly lines: readonly string[]; readonly isRefused: boolean } {
  const refusal = (problems: readonly IngestProblem[]) => ({
    lines: ['rejected', ...problems.map(({ code, message }) => `  ${code}: ${message}`)],
    isRefused: true,
  })
  switch (mapped.kind) {
    case 'skipped':
      return { lines: [`skipped (${mapped.reason}): ${mapped.message}`], isRefused: false }
    case 'refused':
      return refusal(mapped.problems)
    case 'merge': {
      const { fromUserId, intoUserId, occurredAtMs } = mapped
      const when = occurredAtMs === null ? '' : ` since ${formatTime(occurredAtMs)}`
      return { lines: [`merges the user ${fromUserId} into ${intoUserId}${when}`], isRefused: false }
    }
    case 'engagement':
      if (!mapped.parsed.ok) return refusal(mapped.parsed.problems)
      return { lines: [JSON.stringify(mapped.document)], isRefused: false }
  }
}
