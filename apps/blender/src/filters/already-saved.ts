import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'

/**
 * Removes pins that the user has saved from the home feed, even as repeats. It knows the saves among the user's recent
 * actions that the user has not taken back; the `seen` filter knows older ones as seen, so they can come as repeats.
 */
export function alreadySavedFilter(): Filter<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'already-saved',
    policy: 'fail-closed',
    reasons: ['already-saved'],
    prepare: ({ surface, evaluation, user: { saved } }, { pinIds }) => {
      if (surface !== 'home' || saved.size === 0 || evaluation?.allowRepeats === true) return null
      return (row) => (saved.has(pinIds[row] as string) ? 0 : keep)
    },
  }
}
