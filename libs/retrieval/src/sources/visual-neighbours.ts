import { createStarts, startDefaults, type StartsOptions } from './shared/starts.ts'
import { createEmbeddingView } from '../embeddings/embedding-view.ts'
import { createNearest } from '../embeddings/nearest.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'

/** Parameters of the visual neighbours. */
export type VisualNeighboursParameters = StartsOptions & {
  /** Width of the embeddings, others are counted and left out; 0: the width of most, others wait until theirs is. */
  readonly dimensions: number
  /** Of the user's recent pins, the latest whose weighted mean is searched. */
  readonly maxLatest: number
  /** Groups of recent pins that look alike, searched beside it. */
  readonly maxInterests: number
  /** The part of the answer that is near these. */
  readonly interestShare: number
  readonly maxSpread: number
}

/**
 * Pins that look like the user's recent ones, by the `visualEmbedding` that their owner gives: a pin that nobody has
 * touched yet is found, and has neighbours. A malformed embedding is left out and counted by reason.
 */
export const visualNeighbours: SourceDefinition<VisualNeighboursParameters> = {
  name: 'visual-neighbours',
  enabled: true,
  maxCandidates: 200,
  share: 0.15,
  parameters: {
    ...startDefaults,
    maxStarts: 20,
    dimensions: 0,
    maxLatest: 3,
    maxInterests: 2,
    interestShare: 0.3,
    maxSpread: 0.6,
  },
  create: createVisualNeighbours,
}

function createVisualNeighbours({ catalogue, board }: SharedViews, parameters: VisualNeighboursParameters): Source {
  const view = createEmbeddingView(parameters)
  const starts = createStarts(parameters)
  const nearest = createNearest({ view, catalogue, board, starts, options: parameters })
  return {
    name: 'visual-neighbours',
    foldPin(row, change) {
      if (change.kind === 'delete' || change.pin.visualEmbedding === null) view.remove(row)
      else view.set(row, change.pin.visualEmbedding)
    },
    letGo: view.remove,
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
