import { idProblem } from '@freshet/domain/ids'
import { isJsonObject, kindOf, shown } from '@freshet/contracts/json/fields'
import { problemAt } from '@freshet/contracts/json/problems'
import { parseTime } from '@freshet/contracts/json/time'
import type { Arrival, ReadEvent } from './cloudevents.ts'
import { eventIdOf, mapEvent, shapeProblem, type MappedEvent } from './map-event.ts'
import { identifyCall, type ConnectorMapping } from './mapping.ts'

/** The calls of Segment's tracking API for one event. */
export const segmentCalls = ['track', 'identify', 'page', 'screen', 'alias', 'group'] as const
export type SegmentCall = (typeof segmentCalls)[number]

const known: ReadonlySet<unknown> = new Set(segmentCalls)

/** Reads an event of Segment's tracking API. `call`: the call that it came by; null: the event says it as its `type`. */
export function readSegmentEvent(
  raw: unknown,
  call: SegmentCall | null,
  { at, arrivedAtMs }: Arrival,
  mapping: ConnectorMapping,
): ReadEvent {
  const shape = shapeProblem(raw, at)
  if (shape !== null || !isJsonObject(raw)) return { id: '', mapped: refusedWith(shape), raw }
  const { messageId, type } = raw
  const id = typeof messageId === 'string' ? messageId.slice(0, 128).toWellFormed() : ''
  const asked = call ?? type
  if (!known.has(asked)) {
    const code = asked === undefined ? 'EVENT_FIELD_MISSING' : 'EVENT_FIELD_VALUE'
    const found = asked === undefined ? 'missing' : kindOf(asked)
    const problem = problemAt(at, 'type', code, `is ${found}; give one of ${segmentCalls.join(', ')}`)
    return { id, mapped: refusedWith(problem), raw }
  }
  if (asked !== 'track' && asked !== 'identify') {
    const message = `${shown(asked as string)} calls have no meaning for Freshet; only track and identify calls have`
    return { id, mapped: { kind: 'skipped', reason: 'ignored-call', message }, raw }
  }
  const eventId = eventIdFor(raw)
  if (eventId === null) {
    const text = 'is missing, and there is no time to tell repeats by; give messageId, or timestamp'
    return { id, mapped: refusedWith(problemAt(at, 'messageId', 'EVENT_FIELD_MISSING', text)), raw }
  }
  const event = { document: raw, at, eventId, arrivedAtMs, ...(asked === 'identify' && { name: identifyCall }) }
  // A dead letter must say which call it was and keep the id: a replay reads nothing else.
  return {
    id,
    mapped: mapEvent(event, mapping.segment),
    raw: { ...raw, type: asked, ...(id === '' && { messageId: eventId }) },
  }
}

function refusedWith(problem: ReturnType<typeof shapeProblem>): MappedEvent {
  return { kind: 'refused', problems: [problem as NonNullable<typeof problem>] }
}

/** The id of an event, the same on every retry; null: nothing in the event tells it from another one. */
function eventIdFor(event: Readonly<Record<string, unknown>>): string | null {
  const { messageId, originalTimestamp, timestamp, sentAt: _changesOnRetry, receivedAt: _changes, ...rest } = event
  if (typeof messageId === 'string' && messageId !== '')
    return idProblem(messageId) === null ? messageId : eventIdOf('sg', messageId)
  const time = originalTimestamp ?? timestamp
  return time === undefined ? null : eventIdOf('sg', JSON.stringify({ ...rest, time }))
}

/** When a client sent a request by its own clock, milliseconds since the epoch; null: it does not say, or not as RFC 3339. */
export function sentAtOf(body: unknown): number | null {
  const sentAt = isJsonObject(body) ? body['sentAt'] : undefined
  const timeMs = typeof sentAt === 'string' ? parseTime(sentAt) : Number.NaN
  return Number.isNaN(timeMs) ? null : timeMs
}
