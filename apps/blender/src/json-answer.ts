import {
  degradationToJSON,
  freshnessToJSON,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'

/** A page as JSON. Unlike the generated code, it writes every field of the message, including zeros, empty strings and empty lists, so that readers need no defaults. */
export function feedToJson(response: GetFeedResponse): unknown {
  return named(response)
}

/** Related pins as JSON, with every field of the message. */
export function relatedPinsToJson(response: GetRelatedPinsResponse): unknown {
  return named(response)
}

/** Messages are plain objects with all their fields. Only enums differ: JSON contains their names. */
function named<Response extends Pick<GetFeedResponse, 'degradation' | 'freshness'>>(response: Response) {
  return {
    ...response,
    degradation: degradationToJSON(response.degradation),
    freshness: freshnessToJSON(response.freshness),
  }
}
