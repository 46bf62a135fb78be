import type {
  ExplainFeedRequest,
  GetCapabilitiesRequest,
  GetPinsRequest,
  RankPinsRequest,
  SearchByImageRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { boolean, read, readClient, reader, readFilter, refuse, string, strings, whole } from './json-request.ts'

const numbers = reader({ type: 'array', items: { type: 'number' } }, (value, field): number[] =>
  Array.isArray(value)
    ? value.map((entry, at) => (typeof entry === 'number' ? entry : refuse(`${field}[${at}]`, 'a number', entry)))
    : refuse(field, 'a list of numbers', value),
)

const userFields = {
  userId: string,
  after: strings,
  sessionId: string,
  locale: string,
  atMs: whole,
  explain: boolean,
  client: readClient,
  filter: readFilter,
}

/** The fields of the requests, by the last part of their paths. */
export const listFields = {
  rank: { ...userFields, pinIds: strings },
  pins: { pinIds: strings, atMs: whole },
  search: { ...userFields, embedding: numbers, pinId: string, pageSize: whole },
  explain: { feedId: string, pinId: string },
  capabilities: {},
}

const none = {
  userId: '',
  after: [] as string[],
  sessionId: '',
  locale: '',
  explain: false,
  client: undefined,
  filter: undefined,
}

/** Reads a request to rank a list from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function rankRequestFromJson(body: unknown): RankPinsRequest {
  const { atMs, ...given } = read(body, '', listFields.rank)
  return { ...none, pinIds: [], ...given, ...(atMs !== undefined && { atMs }) }
}

/** Reads a request for cards from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function pinsRequestFromJson(body: unknown): GetPinsRequest {
  const { atMs, pinIds = [] } = read(body, '', listFields.pins)
  return { pinIds, ...(atMs !== undefined && { atMs }) }
}

/** Reads a search by a picture from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function searchRequestFromJson(body: unknown): SearchByImageRequest {
  const { atMs, ...given } = read(body, '', listFields.search)
  return { ...none, embedding: [], pinId: '', pageSize: 0, ...given, ...(atMs !== undefined && { atMs }) }
}

/** Reads a request for an explanation from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function explainRequestFromJson(body: unknown): ExplainFeedRequest {
  return { feedId: '', pinId: '', ...read(body, '', listFields.explain) }
}

/** Reads a request for capabilities from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function capabilitiesRequestFromJson(body: unknown): GetCapabilitiesRequest {
  read(body, '', listFields.capabilities)
  return {}
}
