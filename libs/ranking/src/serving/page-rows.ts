import type { RetrievalColumns } from '@freshet/domain/features/retrieval'
import type { ReadCandidates } from '../features/read-candidates.ts'
import type { PlanInput } from '../plan/plan.ts'
import type { RankingPage } from './page.ts'
import { pinFactsOf } from './pin-facts.ts'
import type { ReadRows } from './serving-model.ts'

/** The candidates of a page at some rows, as a page of their own. */
export function rowsOfPage(page: RankingPage, rows: Int32Array): RankingPage {
  const of = { rows, candidates: page.pinIds.length }
  return {
    ...page,
    pinIds: Array.from(rows, (row) => page.pinIds[row]!),
    retrievalScores: pick(page.retrievalScores, of),
    retrieval: rowsOfRetrieval(page.retrieval, of),
    request: { ...page.request, foundBy: pick(page.request.foundBy, of) },
  }
}

/** Picks rows of what was read about a page. */
export function rowsOfRead(
  { features, pins }: ReadCandidates,
  rows: Int32Array,
  pinInputs: readonly PlanInput[],
): ReadRows {
  return {
    features: pick(features, { rows, candidates: pins.length }),
    facts: pinFactsOf(
      pinInputs,
      Array.from(rows, (row) => pins[row]!),
    ),
  }
}

/** Some of the rows of a page. */
interface Rows {
  readonly rows: Int32Array
  /** Rows of the page. */
  readonly candidates: number
}

function rowsOfRetrieval(columns: RetrievalColumns, of: Rows): RetrievalColumns {
  return {
    ranks: pick(columns.ranks, of),
    sourceCounts: pick(columns.sourceCounts, of),
    sourceRanks: pick(columns.sourceRanks, of),
    sourceScores: pick(columns.sourceScores, of),
  }
}

type Matrix = Float32Array | Uint32Array | Uint16Array | Uint8Array

/** Picks rows of a matrix with one row per candidate; an empty one, which says nothing, stays empty. */
function pick<Column extends Matrix>(matrix: Column, { rows, candidates }: Rows): Column {
  const width = matrix.length / Math.max(1, candidates)
  const out = new (matrix.constructor as new (length: number) => Column)(rows.length * width)
  for (let at = 0; at < rows.length; at++)
    for (let i = 0; i < width; i++) out[at * width + i] = matrix[rows[at]! * width + i]!
  return out
}
