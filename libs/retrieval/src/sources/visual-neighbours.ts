import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { createNearestSource, nearestSettings } from './shared/nearest-source.ts'
import { startSettings, type StartsOptions } from './shared/starts.ts'

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
  description: "Pins that look like the user's recent pins, by the embedding of the image.",
  enabled: true,
  maxCandidates: 200,
  share: 0.15,
  parameters: {
    ...startSettings({ maxStarts: 20 }),
    ...nearestSettings({ maxLatest: 3, maxInterests: 2 }),
  },
  create: createVisualNeighbours,
}

function createVisualNeighbours(views: SharedViews, parameters: VisualNeighboursParameters): Source {
  return createNearestSource(views, 'visual-neighbours', parameters, (view) => ({
    images: view,
    foldPin(row, change) {
      if (change.kind === 'delete' || change.pin.visualEmbedding === null) view.remove(row)
      else view.set(row, change.pin.visualEmbedding)
    },
  }))
}
