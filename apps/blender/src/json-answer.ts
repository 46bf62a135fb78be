import {
  degradationToJSON,
  freshnessToJSON,
  type ExplainFeedResponse,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { surfaceToJSON } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'

/** A page as JSON. Unlike the generated code, it writes every field of the message, including zeros, empty strings and empty lists, so that readers need no defaults. */
export function feedToJson(response: GetFeedResponse): unknown {
  return namedEnums(response)
}

/** Related pins as JSON, with every field of the message. */
export function relatedPinsToJson(response: GetRelatedPinsResponse): unknown {
  return namedEnums(response)
}

/** An explanation as JSON, with every field of the message. */
export function explanationToJson(response: ExplainFeedResponse): unknown {
  return { ...namedEnums(response), surface: surfaceToJSON(response.surface) }
}

/** Messages are plain objects with all their fields. Only enums differ: JSON contains their names. */
export function namedEnums<Response extends Pick<GetFeedResponse, 'degradation' | 'freshness'>>(
  response: Response,
): object {
  return {
    ...response,
    degradation: degradationToJSON(response.degradation),
    freshness: freshnessToJSON(response.freshness),
  }
}
