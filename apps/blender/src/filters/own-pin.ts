import { hash32 } from '@freshet/domain/hash'
import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'

/** Removes the user's own pins, those whose creator has the user's id, unless the request includes them. */
export function ownPinFilter({
  facts,
}: Pick<StagePorts, 'facts'>): Filter<Pick<FeedRequest, 'ownCreatorId' | 'filter'>, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'own-pin',
    policy: 'fail-closed',
    reasons: ['own-pin'],
    prepare: ({ ownCreatorId, filter: { includeOwnPins } }, columns) => {
      if (ownCreatorId === '' || includeOwnPins) return null
      const user = hash32(ownCreatorId)
      if (!facts.mayHaveCreator(user)) return null
      const factRows = facts.rowsOf(columns.keys)
      return (row) => {
        const fact = factRows[row] as number
        return fact >= 0 && facts.creatorOf(fact) === user ? 0 : keep
      }
    },
  }
}
