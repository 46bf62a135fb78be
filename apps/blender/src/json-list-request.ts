import type {
  ExplainFeedRequest,
  GetCapabilitiesRequest,
  GetPinsRequest,
  RankPinsRequest,
  SearchByImageRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { boolean, read, readClient, readFilter, refuse, string, strings, whole, type Reader } from './json-request.ts'

const numbers: Reader<number[]> = (value, field) =>
  Array.isArray(value)
    ? value.map((entry, at) => (typeof entry === 'number' ? entry : refuse(`${field}[${at}]`, 'a number', entry)))
    : refuse(field, 'a list of numbers', value)

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
  const { atMs, ...given } = read(body, '', { ...userFields, pinIds: strings })
  return { ...none, pinIds: [], ...given, ...(atMs !== undefined && { atMs }) }
}

/** Reads a request for cards from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function pinsRequestFromJson(body: unknown): GetPinsRequest {
  const { atMs, pinIds = [] } = read(body, '', { pinIds: strings, atMs: whole })
  return { pinIds, ...(atMs !== undefined && { atMs }) }
}

/** Reads a search by a picture from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function searchRequestFromJson(body: unknown): SearchByImageRequest {
  const { atMs, ...given } = read(body, '', { ...userFields, embedding: numbers, pinId: string, pageSize: whole })
  return { ...none, embedding: [], pinId: '', pageSize: 0, ...given, ...(atMs !== undefined && { atMs }) }
}

/** Reads a request for an explanation from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function explainRequestFromJson(body: unknown): ExplainFeedRequest {
  return { feedId: '', pinId: '', ...read(body, '', { feedId: string, pinId: string }) }
}

/** Reads a request for capabilities from JSON. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function capabilitiesRequestFromJson(body: unknown): GetCapabilitiesRequest {
  read(body, '', {})
  return {}
}
