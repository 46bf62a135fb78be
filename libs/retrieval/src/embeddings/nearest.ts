import type { VectorHits } from '@freshet/domain/vector-index'

import type { Catalogue } from '../views/catalogue.ts'
import type { Starts } from '../sources/shared/starts.ts'
import type { Interruption } from '../interruption.ts'
import { type Hits, type ScoreBoard, selectorInto } from '@freshet/columns/score-board'
import type { SourceQuery } from '../source.ts'
import { normalise } from '@freshet/embeddings/content-map'
import type { EmbeddingView } from './embedding-view.ts'
import { createInterests } from './interests.ts'

/** How to search near a user's recent pins. */
export interface NearestOptions {
  /** How many of the latest starts form the weighted mean to search near: what the user is doing now. */
  readonly maxLatest: number
  /** How many further interests to search near: those of largest weight that hold none of these starts; 0: none. */
  readonly maxInterests: number
  /** The interests' part of the answer, divided by their weights. */
  readonly interestShare: number
  readonly maxSpread: number
}

/** Pins near a user's recent ones. */
export interface Nearest {
  /** Fills `hits` with the accepted pins nearest to the weighted mean of the latest starts, and in between those nearest to the user's other interests. */
  find(query: SourceQuery, hits: Hits, interruption: Interruption): void
}

/** Cosine by which a pin is behind the nearest one when it is e times less likely. */
const temperature = 0.1
const noHits: VectorHits = { rows: new Int32Array(0), scores: new Float32Array(0) }

/** Searches in a view of embeddings; `board` is scratch. */
export function createNearest({
  view,
  catalogue,
  board,
  starts,
  options,
}: {
  readonly view: EmbeddingView
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  /** Filled before each `find`. */
  readonly starts: Starts
  readonly options: NearestOptions
}): Nearest {
  const maxStarts = starts.pinRows.length
  const interests = createInterests({ maxPins: maxStarts, maxSpread: options.maxSpread })
  const weights = new Float64Array(maxStarts)

  const raise = (row: number, score: number): void => {
    if (score > board.get(row)) board.add(row, score - board.get(row))
  }

  // The share decides the place of an interest's n-th pin among the pins near the mean; its score is the score at that place.
  function weave(found: VectorHits, share: number, near: VectorHits): void {
    for (let i = 0; i < found.rows.length; i++) {
      const place = Math.floor((i + 1) / share) - 1
      if (near.scores.length > 0 && place >= near.scores.length) return
      raise(found.rows[i]!, 1 + (near.scores[place] ?? found.scores[i] ?? 0))
    }
  }

  function otherInterests(): { readonly indices: readonly number[]; readonly total: number } {
    const indices: number[] = []
    let total = 0
    for (let i = 0; i < interests.count && indices.length < options.maxInterests; i++) {
      if (interests.firsts[i]! < options.maxLatest) continue
      indices.push(i)
      total += interests.weights[i]!
    }
    return { indices, total }
  }

  return {
    find(query, hits, interruption) {
      board.clear()
      hits.count = 0
      const vectors: Float32Array[] = []
      for (let i = 0; i < starts.count; i++) {
        const vector = view.get(starts.pinRows[i]!)
        if (vector === null) continue
        weights[vectors.length] = starts.weights[i]!
        vectors.push(vector)
      }
      if (vectors.length === 0) return
      const limit = Math.min(query.limit, hits.rows.length)
      const search = (vector: Float32Array, k: number): VectorHits =>
        searchAccepted(view, vector, { k, query, interruption })
      const mean = new Float32Array(view.dimensions)
      for (const [n, vector] of vectors.slice(0, options.maxLatest).entries()) {
        for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! + weights[n]! * vector[i]!
      }
      const near = normalise(mean, 0, mean.length) ? search(mean, limit) : noHits
      for (let i = 0; i < near.rows.length; i++) raise(near.rows[i]!, 1 + near.scores[i]!)
      if (options.maxInterests > 0 && vectors.length > options.maxLatest) {
        interests.group({ count: vectors.length, vectors, weights })
        const other = otherInterests()
        for (const interest of other.indices) {
          if (interruption.happened) break
          const medoid = vectors[interests.medoids[interest]!]
          const share = (options.interestShare * interests.weights[interest]!) / other.total
          if (medoid === undefined || !(share > 0)) continue
          // No more than have a place: a search for few is quick.
          const places = near.rows.length > 0 ? Math.ceil(share * (near.rows.length + 1)) : limit
          weave(search(medoid, Math.min(limit, places)), share, near)
        }
      }
      const best = selectorInto(catalogue, limit, hits)
      for (let i = 0; i < board.touched; i++) {
        const row = board.touchedRow(i)
        best.offer(row, board.get(row), query.accept)
      }
      best.finish()
      // The merge takes scores as parts of their sum: cosines, which are nearly equal, would make the hundredth as likely as the first.
      const first = hits.scores[0]!
      for (let i = 0; i < hits.count; i++) hits.scores[i] = Math.exp((hits.scores[i]! - first) / temperature)
    },
  }
}

/** Pins that may be refused although the request does not name them, such as unlisted ones. */
const spareRows = 8

/**
 * The `k` accepted pins nearest to a vector. Most requests refuse few pins: a search without a filter for some more than
 * `k`, from which refused pins are left out, is quicker than one that asks for each pin. An exact search gives the same both
 * ways; an approximate one looks at more cells for more pins.
 */
function searchAccepted(
  view: EmbeddingView,
  vector: Float32Array,
  { k, query, interruption }: { readonly k: number; readonly query: SourceQuery; readonly interruption: Interruption },
): VectorHits {
  const { accept, refusedCount } = query
  const { due } = interruption
  const isNarrow = query.amongRows !== null || query.filter !== null || query.locales !== null
  if (isNarrow || refusedCount > k >> 1) return view.search(vector, k, { accept, due })
  const wanted = k + refusedCount + spareRows
  const all = view.search(vector, wanted, { due })
  let count = 0
  for (let i = 0; i < all.rows.length && count < k; i++) {
    if (!accept(all.rows[i]!)) continue
    all.rows[count] = all.rows[i]!
    all.scores[count++] = all.scores[i]!
  }
  const spared = { rows: all.rows.subarray(0, count), scores: all.scores.subarray(0, count) }
  if (count === k || all.rows.length < wanted || interruption.happened) return spared
  const asked = view.search(vector, k, { accept, due })
  // One that is broken off has seen a part of the vectors only, and the first search may have seen all.
  return interruption.happened && count > 0 ? spared : asked
}
