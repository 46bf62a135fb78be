import { float32Column } from '../bytes/columns.ts'
import type { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { servedCandidates, type ServedCandidate } from './served-candidates.ts'

/** A candidate that was not shown. */
export interface UnshownPin extends ServedCandidate {
  /** Where it left, and why. */
  readonly stage: string
  readonly reason: string
  /** With which probability one that left there is in the sample. */
  readonly samplingProbability: number
  /** null: it left before it was ranked. */
  readonly utility: number | null
}

/** What was not shown of the candidates for a slate. */
export interface UnshownJson {
  /** Where and why candidates left, and how many of them are in the sample. */
  readonly reasons: readonly {
    readonly stage: string
    readonly reason: string
    readonly candidates: number
    readonly sampled: number
  }[]
  readonly pins: readonly UnshownPin[]
}

/** The sample of a record; null: it has none. */
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
