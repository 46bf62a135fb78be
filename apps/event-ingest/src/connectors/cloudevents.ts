import type { IncomingHttpHeaders } from 'node:http'
import { isDeeperThan, isJsonObject, kindOf, maxJsonDepth } from '@freshet/contracts/json/fields'
import { problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { eventIdOf, mapEvent, shapeProblem, type MappedEvent } from './map-event.ts'
import type { ConnectorMapping } from './mapping.ts'

/** Content types of events in structured mode, and of batches. */
export const structuredType = 'application/cloudevents+json'
export const batchedType = 'application/cloudevents-batch+json'

/** An event of another system as it was read: its id there, and what it is for Freshet. */
export interface ReadEvent {
  /** As the sender knows it, shortened; empty: it has none. */
  readonly id: string
  readonly mapped: MappedEvent
  /** As it was sent, with what its call says about it, and with its data decoded: a dead letter is made from it. */
  readonly raw: unknown
}

/** Where and when an event arrived. */
export interface Arrival {
  /** Its place in the request, e.g. `[3]`; empty: the request is one event. */
  readonly at: string
  /** Milliseconds since the epoch. */
  readonly arrivedAtMs: number
}

const requiredAttributes = ['id', 'source', 'type'] as const

/** Reads a CloudEvent (version 1.0) in the JSON format. */
export function readCloudEvent(raw: unknown, { at, arrivedAtMs }: Arrival, mapping: ConnectorMapping): ReadEvent {
  const shape = shapeProblem(raw, at)
  if (shape !== null || !isJsonObject(raw)) return refused(raw, '', [shape as IngestProblem])
  const problems: IngestProblem[] = []
  const { specversion, id } = raw
  if (specversion !== '1.0') {
    const code = specversion === undefined ? 'EVENT_FIELD_MISSING' : 'EVENT_FIELD_VALUE'
    const found = specversion === undefined ? 'missing' : kindOf(specversion)
    problems.push(problemAt(at, 'specversion', code, `is ${found}; give "1.0"`))
  }
  for (const attribute of requiredAttributes) {
    const value = raw[attribute]
    if (typeof value === 'string' && value !== '') continue
    const isMissing = value === undefined || value === ''
    const text = `is ${isMissing ? 'missing' : kindOf(value)}; every CloudEvent needs a text as its ${attribute}`
    problems.push(problemAt(at, attribute, isMissing ? 'EVENT_FIELD_MISSING' : 'EVENT_FIELD_TYPE', text))
  }
  const { document, problem } = withData(raw, at)
  if (problem !== null) problems.push(problem)
  const shownId = typeof id === 'string' ? id.slice(0, 128).toWellFormed() : ''
  if (problems.length > 0) return refused(raw, shownId, problems)
  const eventId = eventIdOf('ce', raw['source'] as string, raw['id'] as string)
  const mapped = explained(mapEvent({ document, at, eventId, arrivedAtMs }, mapping.cloudevents), document)
  return { id: shownId, mapped, raw: document }
}

/** Says in problems of missing fields that the data of the event are no object, so nothing can be in them. */
function explained(mapped: MappedEvent, { data }: Readonly<Record<string, unknown>>): MappedEvent {
  if (mapped.kind !== 'engagement' || mapped.parsed.ok || data === undefined || isJsonObject(data)) return mapped
  const problems = mapped.parsed.problems.map((problem) =>
    problem.code === 'EVENT_FIELD_MISSING'
      ? { ...problem, message: `${problem.message}; data is ${kindOf(data)}, and only an object can be mapped` }
      : problem,
  )
  return { ...mapped, parsed: { ...mapped.parsed, problems, problem: problems[0] ?? mapped.parsed.problem } }
}

function refused(raw: unknown, id: string, problems: readonly IngestProblem[]): ReadEvent {
  return { id, mapped: { kind: 'refused', problems: problems as [IngestProblem, ...IngestProblem[]] }, raw }
}

/** The event with its data decoded, if they came in base64; and the problem of its data. */
function withData(
  event: Readonly<Record<string, unknown>>,
  at: string,
): { readonly document: Readonly<Record<string, unknown>>; readonly problem: IngestProblem | null } {
  const { data_base64: encoded, ...others } = event
  if (encoded === undefined) return { document: event, problem: null }
  const wrong = (text: string, code: IngestCode = 'EVENT_FIELD_VALUE') => ({
    document: event,
    problem: problemAt(at, 'data_base64', code, text),
  })
  if (event['data'] !== undefined) return wrong('comes beside data; give one of both')
  if (typeof encoded !== 'string') return wrong(`is ${kindOf(encoded)}; give base64, or JSON as data`)
  if (!isJsonType(event['datacontenttype'] ?? 'application/json'))
    return wrong('does not contain JSON by its datacontenttype; only JSON data can be mapped')
  try {
    const data = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as unknown
    if (isDeeperThan(data, maxJsonDepth + 1))
      return wrong(
        `decodes to JSON that is nested more than ${maxJsonDepth + 1} levels deep; send it flatter`,
        'EVENT_TOO_DEEP',
      )
    return { document: { ...others, data }, problem: null }
  } catch {
    return wrong('does not decode to JSON; give JSON as data')
  }
}

/** Whether a content type is JSON. */
function isJsonType(type: unknown): boolean {
  return typeof type === 'string' && /^[\w.+-]+\/(json|[\w.-]+\+json)\s*(;|$)/i.test(type)
}

/** Whether headers carry the attributes of an event (binary mode). */
export function isBinaryMode(headers: IncomingHttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined || headers['ce-type'] !== undefined
}

/** The event of a request in binary mode: attributes in headers, data in the body. `prefix`: of the names, `ce-` in HTTP and `ce_` in Kafka. */
export function binaryEvent(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  data: unknown,
  prefix: 'ce-' | 'ce_',
): Readonly<Record<string, unknown>> {
  const event: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(prefix) || typeof value !== 'string') continue
    event[name.slice(prefix.length)] = prefix === 'ce-' ? percentDecoded(value) : value
  }
  return data === undefined ? event : { ...event, data }
}

/** Header values of HTTP are percent-encoded where they are not printable ASCII; a value that is not stays as it is. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
