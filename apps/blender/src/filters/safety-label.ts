import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'

/** Removes pins with a safety label that the request does not allow. */
export function safetyLabelFilter({
  facts,
}: Pick<StagePorts, 'facts'>): Filter<Pick<FeedRequest, 'filter'>, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'safety-label',
    policy: 'fail-closed',
    reasons: ['safety-label'],
    prepare: ({ filter }, columns) => {
      if (facts.counts.labelled === 0) return null
      const refused = ~facts.labelBitsOf(filter.allowedSafetyLabels)
      const factRows = facts.rowsOf(columns.keys)
      return (row) => {
        const fact = factRows[row] as number
        return fact >= 0 && (facts.labelsOf(fact) & refused) !== 0 ? 0 : keep
      }
    },
  }
}
