import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { createNearestSource, nearestSettings } from './shared/nearest-source.ts'
import { startSettings, type StartsOptions } from './shared/starts.ts'

/** Parameters of the embedding neighbours. */
export type Pin2VecParameters = StartsOptions & {
  /** Width of the embeddings, others are counted and left out; 0: the width of most, others wait until theirs is. */
  readonly dimensions: number
  /** Of the user's recent pins, the latest whose weighted mean is searched. */
  readonly maxLatest: number
  /** Interests searched beside it (PinnerSage's medoids), those of largest weight that none of the latest is of. */
  readonly maxInterests: number
  /** The part of the answer that is near these interests. */
  readonly interestShare: number
  /** Pins are one interest as long as merging two groups adds less than this to their squared distances. */
  readonly maxSpread: number
}

/**
 * Pins whose Pin2Vec embeddings, from `pin-embeddings.v1`, are nearest to those of the user's recent pins: to the mean of
 * the last few, and to the medoids of the user's main interests.
 */
export const pin2vec: SourceDefinition<Pin2VecParameters> = {
  name: 'pin2vec',
  description: "Pins whose learned embedding is near those of the user's recent pins.",
  enabled: true,
  maxCandidates: 300,
  share: 0.5,
  parameters: {
    ...startSettings({ maxStarts: 40 }),
    ...nearestSettings({ maxLatest: 5, maxInterests: 3 }),
  },
  create: createPin2VecSource,
}

function createPin2VecSource(views: SharedViews, parameters: Pin2VecParameters): Source {
  return createNearestSource(views, 'pin2vec', parameters, (view) => ({
    foldPin(row, change) {
      if (change.kind === 'delete') view.remove(row)
    },
    foldEmbedding(row, vector, space) {
      if (vector === null) view.remove(row)
      else view.set(row, vector, space)
    },
  }))
}
