import { isUtf8 } from 'node:buffer'
import { isDeeperThan, maxJsonDepth } from '@freshet/contracts/json/fields'
import { problemAt, type IngestCode } from '@freshet/contracts/json/problems'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { jsonErrorPosition } from '@freshet/service/json-body'
import { binaryEvent, readCloudEvent, structuredType, type ReadEvent } from './cloudevents.ts'
import { mapEvent } from './map-event.ts'
import type { ConnectorFormat, ConnectorMapping } from './mapping.ts'
import { readSegmentEvent } from './segment.ts'

/** The partition of another system's topic that records come from. */
export interface SourcePlace {
  /** Changes when the topic is created again. */
  readonly topicId: string
  readonly partition: number
}

/**
 * Reads a record of another system's topic: one event in JSON, a CloudEvent by the Kafka protocol binding (structured or
 * binary), or an event as Segment delivers it. `arrivedAtMs`: when the record was appended, milliseconds since the epoch. The
 * result depends on the arguments alone, so that a record that is read again gives the same event.
 */
export function readSourceRecord(
  record: LogRecord,
  { topicId, partition, arrivedAtMs }: SourcePlace & { readonly arrivedAtMs: number },
  format: ConnectorFormat,
  mapping: ConnectorMapping,
): ReadEvent {
  const arrival = { at: '', arrivedAtMs }
  const { headers, value } = record
  const isBinary = format === 'cloudevents' && headers['ce_specversion'] !== undefined
  if (value === null && !isBinary) {
    const message = 'the record has no value'
    return { id: '', mapped: { kind: 'skipped', reason: 'empty-record', message }, raw: null }
  }
  const document = value === null ? undefined : parse(value)
  if (document instanceof Unreadable) return refused(document)
  if (format === 'json') {
    const eventId = jsonEventId({ topicId, partition }, record.position)
    return { id: eventId, mapped: mapEvent({ ...arrival, document, eventId }, mapping.json), raw: document }
  }
  if (format === 'segment') return readSegmentEvent(document, null, arrival, mapping)
  if (isBinary) {
    const type = headers['content-type']
    const event = binaryEvent(headers, document, 'ce_')
    return readCloudEvent(type === undefined ? event : { ...event, datacontenttype: type }, arrival, mapping)
  }
  const type = headers['content-type']
  if (type === undefined || type.toLowerCase().startsWith(structuredType))
    return readCloudEvent(document, arrival, mapping)
  const text = `is neither a CloudEvent in structured mode (its content-type is ${type.slice(0, 80)}) nor in binary mode (it has no header ce_specversion)`
  return refused(new Unreadable('EVENT_SHAPE', text))
}

/** The id of an event in JSON that has none of its own. */
export function jsonEventId({ topicId, partition }: SourcePlace, position: number): string {
  return `k-${topicId}-${partition}-${position}`
}

class Unreadable {
  readonly code: IngestCode
  readonly text: string
  constructor(code: IngestCode, text: string) {
    this.code = code
    this.text = text
  }
}

/** Two levels more than a field: the event, and what is around the data of a CloudEvent. */
const maxDepth = maxJsonDepth + 2

function parse(value: Uint8Array): unknown {
  if (!isUtf8(value)) return new Unreadable('BODY_MALFORMED', 'is not well-formed UTF-8')
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    // The message of the error quotes the text, which may be about a person.
    const at = jsonErrorPosition(text, (error as Error).message)
    return new Unreadable('BODY_MALFORMED', `is not JSON${at === null ? '' : ` (at character ${at})`}`)
  }
  if (isDeeperThan(document, maxDepth))
    return new Unreadable('EVENT_TOO_DEEP', `is nested more than ${maxDepth} levels deep; send it flatter`)
  return document
}

function refused({ code, text }: Unreadable): ReadEvent {
  return { id: '', mapped: { kind: 'refused', problems: [problemAt('', '', code, text)] }, raw: null }
}
