import type { ExplainedSource } from '../gen/freshet/blending/v1/blending.ts'
import type { ServedCandidate } from './served-candidates.ts'

/** The sources of a candidate, with its rank and score in each. */
export function sourcesOf({ sources, sourceRanks, sourceScores }: ServedCandidate): ExplainedSource[] {
  return sources.map((source) => {
    const [rank, score] = [sourceRanks[source], sourceScores[source]]
    return { source, ...(rank !== undefined && { rank }), ...(score !== undefined && { score }), seeds: [] }
  })
}
