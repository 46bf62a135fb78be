import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'

/** Removes pins that may not be shown yet or any longer at the time of the request. So they come and go without any event. */
export function availabilityFilter({
  facts,
}: Pick<StagePorts, 'facts'>): Filter<Pick<FeedRequest, 'atMs'>, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'availability',
    policy: 'fail-closed',
    reasons: ['not-yet-available', 'expired'],
    prepare: ({ atMs }, columns) => {
      if (facts.counts.limitedInTime === 0) return null
      const atSeconds = Math.floor(atMs / 1000)
      const factRows = facts.rowsOf(columns.keys)
      return (row) => {
        const fact = factRows[row] as number
        if (fact < 0) return keep
        if (facts.availableFromSecondsOf(fact) > atSeconds) return 0
        const expiresAt = facts.expiresAtSecondsOf(fact)
        return expiresAt !== 0 && expiresAt <= atSeconds ? 1 : keep
      }
    },
  }
}
