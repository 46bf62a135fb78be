import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { factOf } from './fact-of.ts'

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
      const atSeconds = Math.floor(atMs / 1000)
      return (row) => {
        const fact = factOf(facts, columns, row)
        if (fact < 0) return keep
        if (facts.availableFromSecondsOf(fact) > atSeconds) return 0
        const expiresAt = facts.expiresAtSecondsOf(fact)
        return expiresAt !== 0 && expiresAt <= atSeconds ? 1 : keep
      }
    },
  }
}
