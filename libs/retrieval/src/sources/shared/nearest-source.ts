import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { createEmbeddingView, type EmbeddingView } from '../../embeddings/embedding-view.ts'
import { createNearest } from '../../embeddings/nearest.ts'
import type { SharedViews, Source } from '../../source.ts'
import { createStarts, rowsOf, type StartsOptions } from './starts.ts'

/** Settings of a source that searches near the user's recent pins and interests; what a source's defaults differ in is given. */
export function nearestSettings(defaults: { readonly maxLatest: number; readonly maxInterests: number }) {
  return {
    dimensions: wholeSetting(0, {
      description: 'Width of the embeddings; the source counts and ignores others. 0: the most common width',
      unit: 'numbers',
      min: 0,
      max: 4_096,
    }),
    maxLatest: wholeSetting(defaults.maxLatest, {
      description: "The source searches near the weighted mean of at most this many of the user's latest pins",
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    maxInterests: wholeSetting(defaults.maxInterests, {
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
  }
}

/** A source of the pins whose embeddings are nearest to those of the user's recent pins. `folds`: what fills its view. */
export function createNearestSource(
  { catalogue, board }: SharedViews,
  name: string,
  options: StartsOptions & Parameters<typeof createEmbeddingView>[0] & Parameters<typeof createNearest>[0]['options'],
  folds: (view: EmbeddingView) => Pick<Source, 'foldPin' | 'foldEmbedding' | 'images'>,
): Source {
  const view = createEmbeddingView(options)
  const starts = createStarts(options)
  const nearest = createNearest({ view, catalogue, board, starts, options })
  return {
    name,
    ...folds(view),
    letGo: view.remove,
    startedFrom: () => rowsOf(starts).filter((row) => view.get(row) !== null),
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
