import { sourceNames } from '../source-names.ts'
import { scalarOver, type Feature } from './feature.ts'

/** What retrieval reported about the candidates of a request, in columns. */
export interface RetrievalColumns {
  /** Rank of each candidate in retrieval order, 0 = best; empty: not known. */
  readonly ranks: Uint16Array
  /** How many sources found each candidate; empty: not known. */
  readonly sourceCounts: Uint8Array
  /** One row per candidate with `1 / (1 + rank)` in each of `sourceNames`; 0: it did not find the pin. Empty: not known. */
  readonly sourceRanks: Float32Array
  /** One row per candidate with the score that each of `sourceNames` gave; 0: it did not find the pin. Empty: not known. */
  readonly sourceScores: Float32Array
}

/** A request that says nothing about retrieval. */
export const noRetrieval: RetrievalColumns = {
  ranks: new Uint16Array(0),
  sourceCounts: new Uint8Array(0),
  sourceRanks: new Float32Array(0),
  sourceScores: new Float32Array(0),
}

/** A rank that is not known counts as the one after the last of the most candidates of a request. */
const unknownRank = 2_000

/** What these features read of a page. */
interface RetrievalPage {
  readonly retrieval: RetrievalColumns
}

const scalar = scalarOver<RetrievalPage>()

/** Writes one place of each row of a matrix whose rows have `width` places; `unknown` where there is no row. */
function writePlace(matrix: Uint16Array | Uint8Array | Float32Array, place: Place, out: Float64Array): void {
  const { at = 0, width = 1, unknown = 0 } = place
  const rows = Math.min(out.length, matrix.length / width)
  for (let row = 0; row < rows; row++) out[row] = matrix[row * width + at]!
  out.fill(unknown, rows)
}

interface Place {
  readonly at?: number
  readonly width?: number
  readonly unknown?: number
}

const ofSource = (source: number): Place => ({ at: source, width: sourceNames.length })

/** How retrieval ranked the pin: over all sources, and in each source. */
export const retrievalFeatures: readonly Feature<RetrievalPage>[] = [
  scalar({
    name: 'retrieval_rank',
    unit: 'rank, 0 = best',
    missing: unknownRank,
    needs: [],
    column: ({ retrieval }, out) => writePlace(retrieval.ranks, { unknown: unknownRank }, out),
  }),
  scalar({
    name: 'source_count',
    unit: 'sources',
    missing: 0,
    needs: [],
    column: ({ retrieval }, out) => writePlace(retrieval.sourceCounts, {}, out),
  }),
  ...sourceNames.map((name, source) =>
    scalar({
      name: `source_rank.${name}`,
      unit: '1 / (1 + rank)',
      missing: 0,
      needs: [],
      column: ({ retrieval }, out) => writePlace(retrieval.sourceRanks, ofSource(source), out),
    }),
  ),
  ...sourceNames.map((name, source) =>
    scalar({
      name: `source_score.${name}`,
      unit: `score of ${name}`,
      missing: 0,
      needs: [],
      column: ({ retrieval }, out) => writePlace(retrieval.sourceScores, ofSource(source), out),
    }),
  ),
]
