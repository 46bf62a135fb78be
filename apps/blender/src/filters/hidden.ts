import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/** Removes pins that the user hid or reported. */
export function hiddenFilter(): Filter<UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'hidden',
    policy: 'fail-closed',
    reasons: ['hidden', 'reported'],
    prepare: ({ user: { hidden, reported } }, { pinIds }) => {
      if (hidden.isEmpty && reported.isEmpty) return null
      return (row) => (hidden.has(pinIds[row] as string) ? 0 : reported.has(pinIds[row] as string) ? 1 : keep)
    },
  }
}
