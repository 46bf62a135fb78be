import { uint32Column } from '@freshet/contracts/bytes/columns'
import type { RecentActions } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { actions, positiveActions } from '@freshet/domain/engagement'
import { dwellWeight } from '@freshet/domain/features/dwell'
import { growthOf } from '@freshet/ordering/evidence'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'

/** On the wire, an action's number is its index plus one. */
const positive = new Set(positiveActions.map((action) => actions.indexOf(action) + 1))
const notKnown = 0xffffffff

/** The number of the user's recent closeups, clicks and saves. A short look counts as a part of one. */
function countEvidence(recent: RecentActions | undefined, fullDwellMs: number): number {
  if (recent === undefined) return 0
  const dwells = uint32Column(recent.dwellMs)
  let sum = 0
  for (let at = 0; at < recent.actions.length; at++) {
    const dwell = dwells[at] ?? notKnown
    if (positive.has(recent.actions[at]!)) sum += dwellWeight(dwell === notKnown ? null : dwell, fullDwellMs)
  }
  return sum
}

/** How much the blender knows about the taste of the user of a request, in [0, 1). */
export function growthFor({ params, user }: Pick<FeedRequest, 'params'> & Pick<UserContext, 'user'>): number {
  const { fullDwellMs, halfActions } = params.ordering.evidence
  return growthOf(countEvidence(user.recent, fullDwellMs), halfActions)
}
