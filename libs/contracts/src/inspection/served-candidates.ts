import { float32Column, uint16Column, uint32Column } from '../bytes/columns.ts'
import type { FeedServed, UnshownCandidates } from '../gen/freshet/feed/v1/feed.ts'

/** How one candidate was found. */
export interface ServedCandidate {
  readonly pinId: string
  /** Names of the sources that found it. */
  readonly sources: readonly string[]
  /** Its rank in each of these, 0 = best; empty: not recorded. */
  readonly sourceRanks: Readonly<Record<string, number>>
  /** Its score in each of these sources; empty: not recorded. */
  readonly sourceScores: Readonly<Record<string, number>>
  /** Its rank among all retrieved candidates, 0 = best; null: not recorded. */
  readonly retrievalRank: number | null
  /** null: not recorded. */
  readonly retrievalScore: number | null
}

type CandidateColumns = Pick<
  FeedServed & UnshownCandidates,
  'pinIds' | 'foundBy' | 'sourceRanks' | 'sourceScores' | 'retrievalRanks' | 'retrievalScores'
>

/** Turns the candidate columns of `FeedServed` or `UnshownCandidates` into rows. */
export function servedCandidates(columns: CandidateColumns, sourceNames: readonly string[]): ServedCandidate[] {
  const foundBy = uint32Column(columns.foundBy)
  const ranks = uint16Column(columns.sourceRanks)
  const scores = float32Column(columns.sourceScores)
  const retrievalRanks = uint16Column(columns.retrievalRanks)
  const retrievalScores = float32Column(columns.retrievalScores)
  let next = 0
  return columns.pinIds.map((pinId, row) => {
    const bits = foundBy[row] ?? 0
    const sources = sourceNames.filter((_, bit) => ((bits >>> bit) & 1) === 1)
    const first = next
    next += sources.length
    const isKnown = next <= ranks.length && next <= scores.length
    const bySource = (column: Uint16Array | Float32Array) =>
      Object.fromEntries(isKnown ? sources.map((name, at) => [name, column[first + at] as number] as const) : [])
    return {
      pinId,
      sources,
      sourceRanks: bySource(ranks),
      sourceScores: bySource(scores),
      retrievalRank: retrievalRanks[row] ?? null,
      retrievalScore: retrievalScores[row] ?? null,
    }
  })
}
