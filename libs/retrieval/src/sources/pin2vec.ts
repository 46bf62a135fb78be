import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { createNearestSource } from './shared/nearest-source.ts'
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
  enabled: true,
  maxCandidates: 300,
  share: 0.5,
  parameters: {
    ...startSettings({ maxStarts: 40 }),
    dimensions: wholeSetting(0, {
      description: 'Width of the embeddings; the source counts and ignores others. 0: the most common width',
      unit: 'numbers',
      min: 0,
      max: 4_096,
    }),
    maxLatest: wholeSetting(5, {
      description: "The source searches near the weighted mean of at most this many of the user's latest pins",
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    maxInterests: wholeSetting(3, {
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
  create: createPin2VecSource,
}

function createPin2VecSource(views: SharedViews, parameters: Pin2VecParameters): Source {
  return createNearestSource(views, 'pin2vec', parameters, (view) => ({
    foldPin(row, change) {
      if (change.kind === 'delete') view.remove(row)
    },
    foldEmbedding(row, vector) {
      if (vector === null) view.remove(row)
      else view.set(row, vector)
    },
  }))
}
