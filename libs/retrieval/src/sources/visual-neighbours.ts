import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { createNearestSource } from './shared/nearest-source.ts'
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
  enabled: true,
  maxCandidates: 200,
  share: 0.15,
  parameters: {
    ...startSettings({ maxStarts: 20 }),
    dimensions: wholeSetting(0, {
      description: 'Width of the embeddings; the source counts and ignores others. 0: the most common width',
      unit: 'numbers',
      min: 0,
      max: 4_096,
    }),
    maxLatest: wholeSetting(3, {
      description: "The source searches near the weighted mean of at most this many of the user's latest pins",
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    maxInterests: wholeSetting(2, {
      description: 'The source also searches near at most this many other interests of the user; 0: none',
      unit: 'interests',
      min: 0,
      max: 100,
    }),
    interestShare: numberSetting(0.3, {
      description: 'Share of the answer that comes from these interests',
      unit: 'share',
      min: 0,
      max: 1,
    }),
    maxSpread: numberSetting(0.6, {
      description: 'The source merges two interests if that adds less than this to the squared distances within them',
      unit: 'squared distance',
      min: 0,
      max: 1_000,
    }),
  },
  create: createVisualNeighbours,
}

function createVisualNeighbours(views: SharedViews, parameters: VisualNeighboursParameters): Source {
  return createNearestSource(views, 'visual-neighbours', parameters, (view) => ({
    foldPin(row, change) {
      if (change.kind === 'delete' || change.pin.visualEmbedding === null) view.remove(row)
      else view.set(row, change.pin.visualEmbedding)
    },
  }))
}
