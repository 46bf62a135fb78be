import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/** Removes pins in the user's history from the home feed, except repeats. */
export function seenFilter(): Filter<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'seen',
    policy: 'fail-closed',
    reasons: ['seen'],
    prepare: ({ surface, user }, { pinIds, pinHashes, shownBefore }) => {
      if (surface !== 'home') return null
      return (row) => (shownBefore[row] === 0 && user.hasSeen(pinIds[row] as string, pinHashes[row]) ? 0 : keep)
    },
  }
}
