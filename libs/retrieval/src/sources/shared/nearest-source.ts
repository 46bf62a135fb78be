import { createEmbeddingView, type EmbeddingView } from '../../embeddings/embedding-view.ts'
import { createNearest } from '../../embeddings/nearest.ts'
import type { SharedViews, Source } from '../../source.ts'
import { createStarts, type StartsOptions } from './starts.ts'

/** A source of the pins whose embeddings are nearest to those of the user's recent pins. `folds`: what fills its view. */
export function createNearestSource(
  { catalogue, board }: SharedViews,
  name: string,
  options: StartsOptions & Parameters<typeof createEmbeddingView>[0] & Parameters<typeof createNearest>[0]['options'],
  folds: (view: EmbeddingView) => Pick<Source, 'foldPin' | 'foldEmbedding'>,
): Source {
  const view = createEmbeddingView(options)
  const starts = createStarts(options)
  const nearest = createNearest({ view, catalogue, board, starts, options })
  return {
    name,
    ...folds(view),
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
