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

/** The context of these features. */
interface RetrievalContext {
  readonly retrieval: RetrievalColumns
  /** The candidate's row in the columns. */
  readonly row: number
}

const scalar = scalarOver<RetrievalContext>()

/** How retrieval ranked the pin: over all sources, and in each source. */
export const retrievalFeatures: readonly Feature<RetrievalContext>[] = [
  scalar({
    name: 'retrieval_rank',
    unit: 'rank, 0 = best',
    missing: unknownRank,
    needs: [],
    value: ({ retrieval, row }) => retrieval.ranks[row] ?? unknownRank,
  }),
  scalar({
    name: 'source_count',
    unit: 'sources',
    missing: 0,
    needs: [],
    value: ({ retrieval, row }) => retrieval.sourceCounts[row] ?? 0,
  }),
  ...sourceNames.map((name, source) =>
    scalar({
      name: `source_rank.${name}`,
      unit: '1 / (1 + rank)',
      missing: 0,
      needs: [],
      value: ({ retrieval, row }) => retrieval.sourceRanks[row * sourceNames.length + source] ?? 0,
    }),
  ),
  ...sourceNames.map((name, source) =>
    scalar({
      name: `source_score.${name}`,
      unit: `score of ${name}`,
      missing: 0,
      needs: [],
      value: ({ retrieval, row }) => retrieval.sourceScores[row * sourceNames.length + source] ?? 0,
    }),
  ),
]
