import { float32Column, uint32Column } from '../bytes/columns.ts'
import { degradationToJSON } from '../gen/freshet/blending/v1/blending.ts'
import { surfaceToJSON } from '../gen/freshet/engagement/v1/engagement.ts'
import type { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { isoTime } from './user-json.ts'

/** One pin of a slate that was served, as it was recorded. */
export interface ServedPin {
  readonly pinId: string
  /** In the whole feed, from 0. */
  readonly position: number
  readonly utility: number
  readonly sources: readonly string[]
  /** P(action) by action; empty where the ranker did not take part. */
  readonly probabilities: Readonly<Record<string, number>>
  /** The numbers that the ranker saw, by feature; empty where it did not take part. */
  readonly features: Readonly<Record<string, number>>
}

/** A slate that was served, for people. */
export interface ServedJson {
  readonly feedId: string
  readonly userId: string
  /** RFC 3339. */
  readonly at: string
  readonly surface: string
  readonly degradation: string
  /** Empty: nothing was ranked. */
  readonly modelVersion: string
  /** Empty: not of related pins. */
  readonly relatedToPinId: string
  readonly pins: readonly ServedPin[]
  readonly stages: FeedServed['stages']
}

/** A record of `feeds-served.v1`, its columns turned into rows. */
export function servedJson(served: FeedServed): ServedJson {
  return {
    feedId: served.feedId,
    userId: served.userId,
    at: isoTime(served.atMs),
    surface: surfaceToJSON(served.surface).replace('SURFACE_', '').toLowerCase(),
    degradation: degradationToJSON(served.degradation).replace('DEGRADATION_', ''),
    modelVersion: served.modelVersion,
    relatedToPinId: served.relatedToPinId,
    pins: pinsOf(served),
    stages: served.stages,
  }
}

function pinsOf(served: FeedServed): ServedPin[] {
  const utilities = float32Column(served.utilities)
  const foundBy = uint32Column(served.foundBy)
  const features = float32Column(served.features)
  const probabilities = float32Column(served.probabilities)
  const width = served.featureNames.length
  const rows = served.pinIds.length
  return served.pinIds.map((pinId, row) => ({
    pinId,
    position: served.firstPosition + row,
    utility: utilities[row] ?? 0,
    sources: served.sources.filter((_, bit) => (((foundBy[row] ?? 0) >>> bit) & 1) === 1),
    probabilities: Object.fromEntries(
      served.actions.map((action, at) => [action, probabilities[at * rows + row] ?? 0] as const),
    ),
    features: Object.fromEntries(
      served.featureNames.map((name, at) => [name, features[row * width + at] ?? 0] as const),
    ),
  }))
}
