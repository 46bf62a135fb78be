import { ContractError } from '@freshet/contracts/errors'
import {
  Consistency,
  Depth,
  type ClientContext,
  type Evaluation,
  type FeedFilter,
  type GetFeedRequest,
  type GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'

type Fields = Readonly<Record<string, unknown>>
/** Reads a field of a JSON request. Throws CALL_INVALID_ARGUMENT, naming the field. */
export type Reader<Value> = (value: unknown, field: string) => Value

/** Reads a string. */
export const string: Reader<string> = (value, field) =>
  typeof value === 'string' ? value : refuse(field, 'a string', value)
/** Reads a truth value. */
export const boolean: Reader<boolean> = (value, field) =>
  typeof value === 'boolean' ? value : refuse(field, 'true or false', value)
/** Reads a whole number. */
export const whole: Reader<number> = (value, field) =>
  Number.isSafeInteger(value) ? (value as number) : refuse(field, 'a whole number', value)
/** Reads a list of strings. */
export const strings: Reader<string[]> = (value, field) =>
  Array.isArray(value)
    ? value.map((entry, at) => string(entry, `${field}[${at}]`))
    : refuse(field, 'a list of strings', value)

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

/** Reads a home feed request from JSON without converting types. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function feedRequestFromJson(body: unknown): GetFeedRequest {
  const { atMs, ...given } = read(body, '', { ...commonFields, pageToken: string, prefetch: boolean })
  const none = { userId: '', pageSize: 0, pageToken: '', after: [], sessionId: '', locale: '', explain: false }
  return { ...none, ...absent, prefetch: false, ...given, ...(atMs !== undefined && { atMs }) }
}

/** Reads a request for related pins from JSON without converting types. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function relatedRequestFromJson(body: unknown): GetRelatedPinsRequest {
  const { atMs, ...given } = read(body, '', { ...commonFields, pinId: string })
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
export function jsonFromQuery(query: Fields): Fields {
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

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}

function plain(name: string, value: unknown): unknown {
  if (numbers.has(name) && typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  if (switches.has(name) && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

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

function readEvaluation(value: unknown, field: string): Evaluation {
  const given = read(value, `${field}.`, {
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
  })
  return { ...dryRun, dryRun: false, ...given }
}

/** Reads what the client reports about itself. */
export function readClient(value: unknown, field: string): ClientContext {
  const { utcOffsetMinutes, ...given } = read(value, `${field}.`, {
    platform: string,
    appVersion: string,
    deviceClass: string,
    country: string,
    utcOffsetMinutes: whole,
  })
  const none = { platform: '', appVersion: '', deviceClass: '', country: '' }
  return { ...none, ...given, ...(utcOffsetMinutes !== undefined && { utcOffsetMinutes }) }
}

/** Reads the filter of a request. */
export function readFilter(value: unknown, field: string): FeedFilter {
  const { maxAgeMs, userAge, ...given } = read(value, `${field}.`, {
    topicIds: strings,
    creatorIds: strings,
    boardIds: strings,
    maxAgeMs: whole,
    excludePinIds: strings,
    seenPinIds: strings,
    allowedSafetyLabels: strings,
    userAge: whole,
    includeOwnPins: boolean,
  })
  const names = { topicIds: [], creatorIds: [], boardIds: [] }
  const none = { ...names, excludePinIds: [], seenPinIds: [], allowedSafetyLabels: [], includeOwnPins: false }
  return { ...none, ...given, ...(maxAgeMs !== undefined && { maxAgeMs }), ...(userAge !== undefined && { userAge }) }
}

function oneOf<Value>(values: Readonly<Record<string, Value>>): Reader<Value> {
  return (value, field) => {
    const found = typeof value === 'string' && Object.hasOwn(values, value) ? values[value] : undefined
    return found ?? refuse(field, `one of ${Object.keys(values).join(', ')}`, value)
  }
}

type ReadBy<Readers> = { [Name in keyof Readers]?: Readers[Name] extends Reader<infer Value> ? Value : never }

/** Reads the fields of an object; `prefix`: the path before their names. Throws CALL_INVALID_ARGUMENT, also for unknown fields. */
export function read<Readers extends Readonly<Record<string, Reader<unknown>>>>(
  value: unknown,
  prefix: string,
  readers: Readers,
): ReadBy<Readers> {
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
  return fields as ReadBy<Readers>
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
