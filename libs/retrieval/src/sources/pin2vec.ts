import { createStarts, startDefaults, type StartsOptions } from './shared/starts.ts'
import { createEmbeddingView } from '../embeddings/embedding-view.ts'
import { createNearest } from '../embeddings/nearest.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'

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
  enabled: true,
  maxCandidates: 300,
  share: 0.5,
  parameters: {
    ...startDefaults,
    maxStarts: 40,
    dimensions: 0,
    maxLatest: 5,
    maxInterests: 3,
    interestShare: 0.3,
    maxSpread: 0.6,
  },
  create: createPin2VecSource,
}

function createPin2VecSource({ catalogue, board }: SharedViews, parameters: Pin2VecParameters): Source {
  const view = createEmbeddingView(parameters)
  const starts = createStarts(parameters)
  const nearest = createNearest({ view, catalogue, board, starts, options: parameters })
  return {
    name: 'pin2vec',
    foldPin(row, change) {
      if (change.kind === 'delete') view.remove(row)
    },
    letGo: view.remove,
    foldEmbedding(row, vector) {
      if (vector === null) view.remove(row)
      else view.set(row, vector)
    },
    query(query, hits, interruption) {
      starts.fill(query)
      nearest.find(query, hits, interruption)
    },
    bytes: () => view.bytes(),
    counts: () => view.counts(),
    save: (writer) => view.save(writer),
    load: (reader) => view.load(reader),
  }
}
