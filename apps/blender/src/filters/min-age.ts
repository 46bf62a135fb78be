import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'

/** Removes pins for which the user is too young. A user whose age is not known is too young for every pin that has a limit. */
export function minAgeFilter({
  facts,
}: Pick<StagePorts, 'facts'>): Filter<Pick<FeedRequest, 'filter'>, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'min-age',
    policy: 'fail-closed',
    reasons: ['min-age'],
    prepare: ({ filter: { userAge } }, columns) => {
      if (facts.counts.ofMinAge === 0) return null
      const age = userAge ?? 0
      const factRows = facts.rowsOf(columns.keys)
      return (row) => {
        const fact = factRows[row] as number
        return fact >= 0 && facts.minAgeOf(fact) > age ? 0 : keep
      }
    },
  }
}
