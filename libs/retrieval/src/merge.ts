import type { Catalogue } from './catalogue.ts'
import { selectorInto, type Hits, type ScoreBoard } from './score-board.ts'

/** One source's answer, its weight and the meaning of its scores. */
export interface MergeInput {
  readonly hits: Hits
  readonly share: number
  readonly scale: 'probability' | 'relative'
}

/** What the merge works with. `evidence`: how far sources of scale `relative` are to be trusted together, in [0, 1]. */
export interface MergeContext {
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly evidence: number
}

/**
 * The answers of sources as one mixture of distributions over the user's next pin. A source of scale `probability` adds
 * share · score. The sources of scale `relative` that found anything divide `evidence` by their shares, and each adds its
 * scores as parts of their sum. Popular pins have large probabilities where tastes are narrow and small ones where they
 * are wide, so the blend follows the data without a parameter per data set. A source that is asked alone needs no share.
 * Fills `hits` with the best `limit` of the union, best first.
 */
export function mergeHits(
  inputs: readonly MergeInput[],
  { catalogue, board, evidence }: MergeContext,
  { limit, hits }: { readonly limit: number; readonly hits: Hits },
): void {
  board.clear()
  let shares = 0
  const shareOf = ({ share }: MergeInput): number => (inputs.length === 1 ? 1 : share)
  for (const input of inputs) if (input.scale === 'relative' && input.hits.count > 0) shares += shareOf(input)
  for (const input of inputs) {
    const { hits: found, scale } = input
    let weight = shareOf(input)
    if (weight === 0) continue
    if (scale === 'relative') {
      let sum = 0
      for (let i = 0; i < found.count; i++) sum += found.scores[i] ?? 0
      weight *= evidence / (sum * shares)
    }
    for (let i = 0; i < found.count; i++) board.add(found.rows[i] ?? 0, weight * (found.scores[i] ?? 0))
  }
  const best = selectorInto(catalogue, limit, hits)
  for (let i = 0; i < board.touched; i++) {
    const row = board.touchedRow(i)
    best.offer(row, board.get(row), always)
  }
  best.finish()
}

function always(): boolean {
  return true
}
