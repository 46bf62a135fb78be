import { placeStrictly } from '@freshet/ordering/place-strictly'
import type { UserContext } from '../hydrators/user-state.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import { brokenRules } from '../ordering/notes.ts'
import { cappedClasses, capsBelow } from '../ordering/rules.ts'
import type { FeedRequest } from '../request.ts'

/** Holds pins back while a window has as many of their creator, topic, cluster or board as the cap allows. */
export function caps() {
  return orderingStep<FeedRequest & UserContext>('caps', (request, { pool, placement }) => {
    const capped = cappedClasses(request, pool)
    if (capped.length === 0) return null
    const placed = placeStrictly(placement, pool.places, [capsBelow(capped, pool)])
    return { ...placed, notes: brokenRules(placed, ['caps']) }
  })
}
