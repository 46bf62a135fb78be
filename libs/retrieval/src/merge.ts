import type { Catalogue } from './catalogue.ts'
import { selectorInto, type Hits, type ScoreBoard } from './score-board.ts'

/** One source's answer and its weight. */
export interface MergeInput {
  readonly hits: Hits
  readonly share: number
}

/** How the answers of sources become one. */
export interface MergeOptions {
  /** Damps the difference between the first ranks. */
  readonly rankOffset: number
}

/**
 * Reciprocal-rank fusion with shares (Cormack, Clarke, Büttcher 2009): merged = Σ share / (rankOffset + rank), rank
 * from 1. Fills `hits` with the best `limit` of the union, best first.
 */
export function mergeHits(
  inputs: readonly MergeInput[],
  {
    catalogue,
    board,
    options,
  }: { readonly catalogue: Catalogue; readonly board: ScoreBoard; readonly options: MergeOptions },
  { limit, hits }: { readonly limit: number; readonly hits: Hits },
): void {
  board.clear()
  for (const input of inputs) {
    const { rows, count } = input.hits
    for (let i = 0; i < count; i++) board.add(rows[i] ?? 0, input.share / (options.rankOffset + i + 1))
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
