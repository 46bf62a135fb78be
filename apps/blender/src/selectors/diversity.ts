import { mmrPenalty } from '@freshet/ordering/mmr'
import { placeSoftly } from '@freshet/ordering/place-softly'
import { ssdPenalty } from '@freshet/ordering/ssd'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'
import { orderingStep } from '../ordering/ordering-step.ts'

/** Prefers pins unlike those above them. Related pins are alike on purpose, so it leaves them as they are. */
export function diversity() {
  return orderingStep<FeedRequest & UserContext>('diversity', ({ params, surface }, { pool, placement }) => {
    const {
      lookAhead,
      diversity: { method, weight, window },
    } = params.ordering
    if (method === 'none' || weight === 0 || surface === 'related') return null
    const penaltyOf = method === 'ssd' ? ssdPenalty : mmrPenalty
    // No other candidate can come to a place that the step fills.
    const reached = placement.order.subarray(0, pool.places + lookAhead)
    const above = pool.above.slice(-window)
    const vectors = pool.vectors(Uint16Array.of(...above, ...reached))
    const penalty = penaltyOf(vectors, { weight: weight * pool.spread, window })
    for (const pin of above) penalty.place(pin)
    return placeSoftly(placement, { places: pool.places, lookAhead }, penalty)
  })
}
