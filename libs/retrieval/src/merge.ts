import type { Catalogue } from './catalogue.ts'
import { selectorInto, type Hits, type ScoreBoard } from './score-board.ts'

/** One source's answer, its weight and the meaning of its scores. */
export interface MergeInput {
  readonly hits: Hits
  readonly share: number
  readonly scale: 'probability' | 'relative'
}

/**
 * The answers of sources as one mixture of distributions over the user's next pin: Σ share · confidence · p(pin).
 * A source of scale `relative` gives p as its score's part of the sum of its scores. A source that knows little says so
 * in its confidence, and one that is right only for popular pins (popularity itself) gives probabilities that are small
 * where tastes are wide and large where they are narrow: so the blend follows the data without a parameter per data set.
 * Fills `hits` with the best `limit` of the union, best first.
 */
export function mergeHits(
  inputs: readonly MergeInput[],
  { catalogue, board }: { readonly catalogue: Catalogue; readonly board: ScoreBoard },
  { limit, hits }: { readonly limit: number; readonly hits: Hits },
): void {
  board.clear()
  for (const { hits: found, share, scale } of inputs) {
    let sum = 1
    if (scale === 'relative') {
      sum = 0
      for (let i = 0; i < found.count; i++) sum += found.scores[i] ?? 0
    }
    const weight = (share * found.confidence) / sum
    for (let i = 0; i < found.count; i++) board.add(found.rows[i] ?? 0, weight * (found.scores[i] ?? 0))
  }
  const best = selectorInto(catalogue, Math.min(limit, hits.rows.length), hits)
  for (let i = 0; i < board.touched; i++) {
    const row = board.touchedRow(i)
    best.offer(row, board.get(row), always)
  }
  best.finish()
}

function always(): boolean {
  return true
}
