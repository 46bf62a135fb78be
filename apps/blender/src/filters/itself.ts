import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'

/** Removes the pin whose related pins the request asks for. */
export function itselfFilter(): Filter<Pick<FeedRequest, 'relatedToPinId'>, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'itself',
    policy: 'fail-closed',
    reasons: ['itself'],
    prepare: ({ relatedToPinId }, { pinIds }) => {
      if (relatedToPinId === '') return null
      return (row) => (pinIds[row] === relatedToPinId ? 0 : keep)
    },
  }
}
