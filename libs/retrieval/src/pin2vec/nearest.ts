import type { Catalogue } from '../catalogue.ts'
import type { Starts } from '../graph/starts.ts'
import { type Hits, type ScoreBoard, selectorInto } from '../score-board.ts'
import type { SourceQuery } from '../source.ts'
import { normalise } from './content-map.ts'
import type { EmbeddingView } from './embedding-view.ts'
import { createInterests } from './interests.ts'

/** How a user's recent pins become searches. */
export interface NearestOptions {
  /** Of the starts, those whose weighted mean is searched: what the user is doing now. */
  readonly maxLatest: number
  /** Interests searched beside it, those of largest weight; 0: none. */
  readonly maxInterests: number
  /** What being near an interest of all the weight counts beside being near what the user does now. */
  readonly interestWeight: number
  readonly maxSpread: number
}

/** Pins near a user's recent ones. */
export interface Nearest {
  /** Fills `hits` with the accepted pins nearest to the weighted mean of the latest starts, or to one of the user's interests, best first. */
  find(starts: Starts, query: SourceQuery, hits: Hits): void
}

/** Searches in a view of embeddings; `board` is scratch. */
export function createNearest({
  view,
  catalogue,
  board,
  maxStarts,
  options,
}: {
  readonly view: EmbeddingView
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly maxStarts: number
  readonly options: NearestOptions
}): Nearest {
  const interests = createInterests({ maxPins: maxStarts, maxSpread: options.maxSpread })
  const weights = new Float64Array(maxStarts)

  // A pin found by several searches counts by the best of them.
  function search(vector: Float32Array, weight: number, { query, limit }: { query: SourceQuery; limit: number }): void {
    const { rows, scores } = view.search(vector, limit, query.accept)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0
      const score = weight * (1 + (scores[i] ?? 0))
      if (score > board.get(row)) board.add(row, score - board.get(row))
    }
  }

  return {
    find(starts, query, hits) {
      board.clear()
      hits.count = 0
      const vectors: Float32Array[] = []
      let total = 0
      for (let i = 0; i < starts.count; i++) {
        const vector = view.get(starts.pinRows[i] ?? 0)
        if (vector === null) continue
        weights[vectors.length] = starts.weights[i] ?? 0
        total += starts.weights[i] ?? 0
        vectors.push(vector)
      }
      if (vectors.length === 0) return
      const limit = Math.min(query.limit, hits.rows.length)
      const mean = new Float32Array(view.dimensions)
      for (const [n, vector] of vectors.slice(0, options.maxLatest).entries()) {
        for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] ?? 0) + (weights[n] ?? 0) * (vector[i] ?? 0)
      }
      if (normalise(mean, 0, mean.length)) search(mean, 1, { query, limit })
      if (options.maxInterests > 0 && vectors.length > 1) {
        interests.group({ count: vectors.length, vectors, weights })
        for (let i = 0; i < Math.min(interests.count, options.maxInterests); i++) {
          const medoid = vectors[interests.medoids[i] ?? 0]
          const weight = (options.interestWeight * (interests.weights[i] ?? 0)) / total
          if (medoid !== undefined) search(medoid, weight, { query, limit })
        }
      }
      const best = selectorInto(catalogue, limit, hits)
      for (let i = 0; i < board.touched; i++) {
        const row = board.touchedRow(i)
        best.offer(row, board.get(row), query.accept)
      }
      best.finish()
    },
  }
}
