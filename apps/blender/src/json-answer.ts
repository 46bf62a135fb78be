import {
  degradationToJSON,
  freshnessToJSON,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'

/** A page as JSON. Unlike what is generated, it has every field of the message: zeros, empty strings and empty lists too, so that readers need no defaults. */
export function feedToJson(response: GetFeedResponse): unknown {
  return named(response)
}

/** Related pins as JSON, with every field of the message. */
export function relatedPinsToJson(response: GetRelatedPinsResponse): unknown {
  return named(response)
}

/** Messages are plain objects that hold all of their fields; JSON only names enums instead of numbering them. */
function named<Response extends Pick<GetFeedResponse, 'degradation' | 'freshness'>>(response: Response) {
  return {
    ...response,
    degradation: degradationToJSON(response.degradation),
    freshness: freshnessToJSON(response.freshness),
  }
}
