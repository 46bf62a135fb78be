import { float32Column } from '../bytes/columns.ts'
import type { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { servedCandidates, type ServedCandidate } from './served-candidates.ts'

/** A candidate that was not shown. */
export interface UnshownPin extends ServedCandidate {
  /** The stage that dropped it, and the reason. */
  readonly stage: string
  readonly reason: string
  /** The probability that a candidate dropped there is in the sample. */
  readonly samplingProbability: number
  /** null: it was dropped before ranking. */
  readonly utility: number | null
}

/** The candidates for a slate that were not shown. */
export interface UnshownJson {
  /** Where and why candidates were dropped, and how many of them are in the sample. */
  readonly reasons: readonly {
    readonly stage: string
    readonly reason: string
    readonly candidates: number
    readonly sampled: number
  }[]
  readonly pins: readonly UnshownPin[]
}

/** The sample in a record; null: it has none. */
export function unshownJson({ unshown, sources }: FeedServed): UnshownJson | null {
  if (unshown === undefined) return null
  const { reasons } = unshown
  const utilities = float32Column(unshown.utilities)
  const pins = servedCandidates(unshown, sources).map((candidate, row) => {
    const group = reasons[unshown.reasonIndices[row] ?? -1]
    const utility = utilities[row] ?? NaN
    return {
      ...candidate,
      stage: group?.stage ?? '',
      reason: group?.reason ?? '',
      samplingProbability: group === undefined ? 0 : group.sampled / group.candidates,
      utility: Number.isNaN(utility) ? null : utility,
    }
  })
  return { reasons, pins }
}
