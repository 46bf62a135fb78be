import { capsRule } from '@freshet/ordering/caps'
import { placeStrictly } from '@freshet/ordering/place-strictly'
import type { UserContext } from '../hydrators/user-state.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import { cappedClasses } from '../ordering/rules.ts'
import type { FeedRequest } from '../request.ts'

/** Holds pins back while a window has as many of their creator, topic or cluster as the cap allows. */
export function caps() {
  return orderingStep<FeedRequest & UserContext>('caps', (request, { pool, placement }) => {
    const capped = cappedClasses(request, pool)
    return capped.length === 0 ? null : placeStrictly(placement, pool.places, [capsRule(capped)])
  })
}
