import { ContractError } from '@freshet/contracts/errors'
import type { JsonSchema } from '@freshet/contracts/json/field-rules'
import {
  Consistency,
  Depth,
  type ClientContext,
  type Evaluation,
  type FeedFilter,
  type GetFeedRequest,
  type GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'

type Json = Readonly<Record<string, unknown>>
/** Reads a field of a JSON request. Throws CALL_INVALID_ARGUMENT, naming the field. */
export interface Reader<Value> {
  (value: unknown, field: string): Value
  /** What it accepts, for the description of the API. */
  readonly schema: JsonSchema
}

/** The readers of the fields of an object. */
export type Readers = Readonly<Record<string, Reader<unknown>>>

/** A reader with what it accepts. */
export function reader<Value>(schema: JsonSchema, read: (value: unknown, field: string) => Value): Reader<Value> {
  return Object.assign(read, { schema })
}

/** The schema of an object with these fields, none of them required, and no other. */
export function objectSchema(readers: Readers): JsonSchema {
  const properties = Object.fromEntries(Object.entries(readers).map(([name, { schema }]) => [name, schema]))
  return { type: 'object', properties, additionalProperties: false }
}

/** Reads a string. */
export const string = reader({ type: 'string' }, (value, field) =>
  typeof value === 'string' ? value : refuse(field, 'a string', value),
)
/** Reads a truth value. */
export const boolean = reader({ type: 'boolean' }, (value, field) =>
  typeof value === 'boolean' ? value : refuse(field, 'true or false', value),
)
/** Reads a whole number. */
export const whole = reader({ type: 'integer' }, (value, field) =>
  Number.isSafeInteger(value) ? (value as number) : refuse(field, 'a whole number', value),
)
/** Reads a list of strings. */
export const strings = reader({ type: 'array', items: { type: 'string' } }, (value, field) =>
  Array.isArray(value)
    ? value.map((entry, at) => string(entry, `${field}[${at}]`))
    : refuse(field, 'a list of strings', value),
)

/** The options of a request that records nothing. */
export const dryRun: Evaluation = {
  consistency: Consistency.UNSPECIFIED,
  dryRun: true,
  amongPinIds: [],
  excludePinIds: [],
  allowRepeats: false,
  depth: Depth.UNSPECIFIED,
  sources: [],
}

const evaluationFields = {
  consistency: oneOf({
    CONSISTENCY_UNSPECIFIED: Consistency.UNSPECIFIED,
    CONSISTENCY_COLLECTIVE: Consistency.COLLECTIVE,
  }),
  dryRun: boolean,
  amongPinIds: strings,
  excludePinIds: strings,
  allowRepeats: boolean,
  depth: oneOf({ DEPTH_UNSPECIFIED: Depth.UNSPECIFIED, DEPTH_CANDIDATES: Depth.CANDIDATES }),
  sources: strings,
}

const readEvaluation = reader(objectSchema(evaluationFields), (value, field): Evaluation => {
  return { ...dryRun, dryRun: false, ...read(value, `${field}.`, evaluationFields) }
})

const clientFields = {
  platform: string,
  appVersion: string,
  deviceClass: string,
  country: string,
  utcOffsetMinutes: whole,
}

/** Reads what the client reports about itself. */
export const readClient = reader(objectSchema(clientFields), (value, field): ClientContext => {
  const { utcOffsetMinutes, ...given } = read(value, `${field}.`, clientFields)
  const none = { platform: '', appVersion: '', deviceClass: '', country: '' }
  return { ...none, ...given, ...(utcOffsetMinutes !== undefined && { utcOffsetMinutes }) }
})

const filterFields = {
  topicIds: strings,
  creatorIds: strings,
  boardIds: strings,
  maxAgeMs: whole,
  excludePinIds: strings,
  seenPinIds: strings,
  allowedSafetyLabels: strings,
  userAge: whole,
  includeOwnPins: boolean,
}

/** Reads the filter of a request. */
export const readFilter = reader(objectSchema(filterFields), (value, field): FeedFilter => {
  const { maxAgeMs, userAge, ...given } = read(value, `${field}.`, filterFields)
  const names = { topicIds: [], creatorIds: [], boardIds: [] }
  const none = { ...names, excludePinIds: [], seenPinIds: [], allowedSafetyLabels: [], includeOwnPins: false }
  return { ...none, ...given, ...(maxAgeMs !== undefined && { maxAgeMs }), ...(userAge !== undefined && { userAge }) }
})

const commonFields = {
  userId: string,
  pageSize: whole,
  after: strings,
  sessionId: string,
  locale: string,
  atMs: whole,
  explain: boolean,
  evaluation: readEvaluation,
  client: readClient,
  filter: readFilter,
  onlySources: strings,
  withoutSources: strings,
}

const absent = {
  evaluation: undefined,
  client: undefined,
  filter: undefined,
  onlySources: [] as string[],
  withoutSources: [] as string[],
}

/** The fields of a request for a home feed. */
export const feedFields = { ...commonFields, pageToken: string, prefetch: boolean }

/** The fields of a request for related pins. */
export const relatedFields = { ...commonFields, pinId: string }

/** Reads a home feed request from JSON without converting types. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function feedRequestFromJson(body: unknown): GetFeedRequest {
  const { atMs, ...given } = read(body, '', feedFields)
  const none = { userId: '', pageSize: 0, pageToken: '', after: [], sessionId: '', locale: '', explain: false }
  return { ...none, ...absent, prefetch: false, ...given, ...(atMs !== undefined && { atMs }) }
}

/** Reads a request for related pins from JSON without converting types. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function relatedRequestFromJson(body: unknown): GetRelatedPinsRequest {
  const { atMs, ...given } = read(body, '', relatedFields)
  const none = { userId: '', pinId: '', pageSize: 0, after: [], sessionId: '', locale: '', explain: false }
  return { ...none, ...absent, ...given, ...(atMs !== undefined && { atMs }) }
}

/** Names in query strings of lists, with the fields of the JSON request. */
const listNames = new Map(
  Object.entries({
    after: 'after',
    pinIds: 'pinIds',
    onlySource: 'onlySources',
    withoutSource: 'withoutSources',
  }),
)

/** Names in query strings of the parts of the filter, with its fields in the JSON request. */
const filterNames = new Map(
  Object.entries({
    topic: 'topicIds',
    creator: 'creatorIds',
    board: 'boardIds',
    exclude: 'excludePinIds',
    seen: 'seenPinIds',
    safetyLabel: 'allowedSafetyLabels',
    maxAgeMs: 'maxAgeMs',
    userAge: 'userAge',
    includeOwnPins: 'includeOwnPins',
  }),
)
const numbers = new Set(['pageSize', 'atMs', 'maxAgeMs', 'userAge'])
const switches = new Set(['explain', 'prefetch', 'includeOwnPins'])

/**
 * Converts a query string to the fields of the JSON request. Names of lists can come more than once. A value that is not a
 * number stays a string, which the reader then rejects.
 */
export function jsonFromQuery(query: Json): Json {
  // Without a prototype, `__proto__` is a name like others: an unknown field.
  const fields = Object.create(null) as Record<string, unknown>
  const filter = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(query)) {
    const list = listNames.get(name)
    const ofFilter = filterNames.get(name)
    if (list !== undefined) fields[list] = asList(value)
    else if (ofFilter !== undefined) filter[ofFilter] = plainNames.has(name) ? plain(name, value) : asList(value)
    else fields[name] = plain(name, value)
  }
  if (Object.keys(filter).length > 0) fields['filter'] = filter
  return fields
}

const plainNames = new Set([...numbers, ...switches])

/** The query parameters of a request with these fields, each with what it accepts; a list can come more than once. */
export function queryParameters(readers: Readers): Readonly<Record<string, JsonSchema>> {
  const nameOf = (names: ReadonlyMap<string, string>, field: string): string | undefined =>
    [...names].find(([, of]) => of === field)?.[0]
  const own = Object.entries(readers).flatMap(([field, { schema }]) => {
    const isPlain = schema['type'] === 'string' || numbers.has(field) || switches.has(field)
    const name = isPlain ? field : nameOf(listNames, field)
    return name === undefined ? [] : [[name, schema] as const]
  })
  const ofFilter = 'filter' in readers ? Object.entries(filterFields) : []
  return Object.fromEntries([
    ...own,
    ...ofFilter.map(([field, { schema }]) => [nameOf(filterNames, field) ?? field, schema] as const),
  ])
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}

function plain(name: string, value: unknown): unknown {
  if (numbers.has(name) && typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  if (switches.has(name) && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function oneOf<Value>(values: Readonly<Record<string, Value>>): Reader<Value> {
  return reader({ type: 'string', enum: Object.keys(values) }, (value, field) => {
    const found = typeof value === 'string' && Object.hasOwn(values, value) ? values[value] : undefined
    return found ?? refuse(field, `one of ${Object.keys(values).join(', ')}`, value)
  })
}

type ReadBy<Given> = { [Name in keyof Given]?: Given[Name] extends Reader<infer Value> ? Value : never }

/** Reads the fields of an object; `prefix`: the path before their names. Throws CALL_INVALID_ARGUMENT, also for unknown fields. */
export function read<Fields extends Readers>(value: unknown, prefix: string, readers: Fields): ReadBy<Fields> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(prefix === '' ? 'body' : prefix.slice(0, -1), 'an object', value)
  const fields: Record<string, unknown> = {}
  for (const [name, given] of Object.entries(value)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (reader === undefined) {
      const known = Object.keys(readers).join(', ')
      throw new ContractError(
        'CALL_INVALID_ARGUMENT',
        `${prefix}${shown(name)}: is not a field; the fields are ${known}`,
      )
    }
    fields[name] = reader(given, `${prefix}${name}`)
  }
  return fields as ReadBy<Fields>
}

/** Throws CALL_INVALID_ARGUMENT for a value of the wrong type. */
export function refuse(field: string, wanted: string, value: unknown): never {
  throw new ContractError('CALL_INVALID_ARGUMENT', `${field}: is ${kindOf(value)}; give ${wanted}`)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return `the string ${JSON.stringify(shown(value))}`
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`
  return 'an object'
}

function shown(text: string): string {
  return (text.length > 40 ? `${text.slice(0, 40)}…` : text).toWellFormed()
}
