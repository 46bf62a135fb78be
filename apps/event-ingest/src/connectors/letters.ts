import { isJsonObject } from '@freshet/contracts/json/fields'
import type { IngestProblem } from '@freshet/contracts/json/problems'
import { idProblem } from '@freshet/domain/ids'
import type { ReadEvent } from './cloudevents.ts'
import { readField, valueAt, type FieldRule } from './field-sources.ts'
import { identifyCall, type ConnectorFormat, type ConnectorMapping, type EventRule } from './mapping.ts'

/** Fields around an event that say what it is and when it was, by form. */
const envelope: Readonly<Record<ConnectorFormat, readonly string[]>> = {
  segment: ['type', 'event', 'messageId', 'timestamp', 'originalTimestamp', 'sentAt', 'receivedAt'],
  cloudevents: ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype'],
  json: [],
}

/**
 * An event as a dead letter keeps it, as JSON: the fields that the mapping reads, and what says which event it is and when it
 * was. Nobody can list all names under which others send addresses, agents and names of people, so nothing else is kept, except the places that the mapping file names in `keep`.
 */
export function keptText(raw: unknown, format: ConnectorFormat, mapping: ConnectorMapping): string {
  if (!isJsonObject(raw)) return 'null'
  const kept = noFields()
  const paths = rulesOf(raw, format, mapping).flatMap((rule) => {
    const source = readField(raw, rule)?.source
    return source?.kind === 'path' ? [source.keys] : []
  })
  for (const keys of [...envelope[format].map((field) => [field]), ...paths]) {
    const value = valueAt(raw, keys)
    // Whatever is inside an object or a list, the mapping does not read it.
    if (value !== undefined && typeof value !== 'object') put(kept, keys, value)
  }
  for (const keys of mapping[format].keep) {
    const value = valueAt(raw, keys)
    if (value !== undefined) put(kept, keys, value)
  }
  return JSON.stringify(kept)
}

/** What a dead letter keeps where users have pseudonyms, because ids of users can be anywhere in an event: its id, and its name if the mapping has a rule for it. */
export function namedText({ raw, id }: ReadEvent, format: ConnectorFormat, mapping: ConnectorMapping): string {
  const name = readField(raw, mapping[format].name)?.value
  const isKnown = typeof name === 'string' && mapping[format].events.has(name)
  return JSON.stringify({ ...(id !== '' && { id }), ...(isKnown && { name }) })
}

/** What a dead letter says about the problem. Messages quote what the mapping reads; with pseudonyms, and of what is not an object, letters quote nothing. */
export function messageOf({ code, field, message }: IngestProblem, { raw }: ReadEvent, isNamed: boolean): string {
  const isBare = isNamed || !(raw === null || isJsonObject(raw))
  return isBare ? `${field === '' ? 'the event' : field} was refused: ${code}` : message
}

/** The ids of users in an event, as given; the first is whose event it is. */
export function usersOf(
  { raw, mapped }: ReadEvent,
  format: ConnectorFormat,
  mapping: ConnectorMapping,
): readonly string[] {
  const found: unknown[] = []
  if (mapped.kind === 'engagement') found.push(mapped.document['userId'])
  if (mapped.kind === 'merge') found.push(mapped.intoUserId, mapped.fromUserId)
  for (const rule of userRulesOf(raw, format, mapping))
    for (const source of rule.sources) if (source.kind === 'path') found.push(valueAt(raw, source.keys))
  for (const field of ['userId', 'user_id', 'anonymousId', 'previousId']) found.push(valueAt(raw, [field]))
  const ids = found.map((value) => (Number.isSafeInteger(value) ? String(value) : value))
  return [...new Set(ids.filter((value): value is string => typeof value === 'string' && idProblem(value) === null))]
}

/** The rules by which an event of this name can be read. */
function eventRulesOf(raw: unknown, format: ConnectorFormat, mapping: ConnectorMapping): readonly EventRule[] {
  const { name, events } = mapping[format]
  const names = [readField(raw, name)?.value, ...(format === 'segment' ? [identifyCall] : [])]
  return names.flatMap((each) => events.get(String(each)) ?? [])
}

function rulesOf(raw: unknown, format: ConnectorFormat, mapping: ConnectorMapping): readonly FieldRule[] {
  const own = eventRulesOf(raw, format, mapping).flatMap((rule) => {
    if (rule.kind === 'merge') return [rule.fromUserId, rule.intoUserId]
    return rule.kind === 'engagement' ? [...rule.fields.values()] : []
  })
  return [mapping[format].name, ...mapping[format].fields.values(), ...own]
}

function userRulesOf(raw: unknown, format: ConnectorFormat, mapping: ConnectorMapping): readonly FieldRule[] {
  const own = eventRulesOf(raw, format, mapping).flatMap((rule) => {
    if (rule.kind === 'merge') return [rule.fromUserId, rule.intoUserId]
    return rule.kind === 'engagement' ? (rule.fields.get('userId') ?? []) : []
  })
  return [...own, ...[mapping[format].fields.get('userId') ?? []].flat()]
}

type Fields = Record<string, unknown>

/** An object without a prototype, because names of fields come from others. */
function noFields(): Fields {
  return Object.create(null) as Fields
}

function put(into: Fields, keys: readonly string[], value: unknown): void {
  let at = into
  for (const key of keys.slice(0, -1)) at = (at[key] ??= noFields()) as Fields
  at[keys.at(-1) as string] = value
}
