import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { UserContext } from '../stages/user-state.ts'

/** Removes what the user was served on the home feed within the window. */
export function previouslyServedFilter(): Filter<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'previously-served',
    policy: 'fail-closed',
    reasons: ['served'],
    prepare: ({ surface, served }, { keys }) => {
      if (surface !== 'home' || served.size === 0) return () => keep
      return (row) => (served.has(keys.high[row] as number, keys.low[row] as number) ? 0 : keep)
    },
  }
}
