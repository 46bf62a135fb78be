import {
  degradationToJSON,
  freshnessToJSON,
  type ExplainedSource,
  type ExplainFeedResponse,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
  type Seed,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { actionToJSON, surfaceToJSON } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'

/** A page as JSON. Unlike the generated code, it writes every field of the message, including zeros, empty strings and empty lists, so that readers need no defaults. */
export function feedToJson(response: GetFeedResponse): unknown {
  const { seeds } = response
  return { ...namedEnums(response), seeds: seeds.map((found) => ({ ...found, seeds: found.seeds.map(seedToJson) })) }
}

/** Related pins as JSON, with every field of the message. */
export function relatedPinsToJson(response: GetRelatedPinsResponse): unknown {
  return namedEnums(response)
}

/** An explanation as JSON, with every field of the message. */
export function explanationToJson(response: ExplainFeedResponse): unknown {
  const { surface, pins, absence } = response
  return {
    ...namedEnums(response),
    surface: surfaceToJSON(surface),
    pins: pins.map((pin) => ({ ...pin, sources: pin.sources.map(sourceToJson) })),
    absence: absence && { ...absence, sources: absence.sources.map(sourceToJson) },
  }
}

function sourceToJson(source: ExplainedSource): object {
  return { ...source, seeds: source.seeds.map(seedToJson) }
}

function seedToJson(seed: Seed): object {
  return { ...seed, action: actionToJSON(seed.action) }
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
