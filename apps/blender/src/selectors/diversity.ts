import { mmrPenalty } from '@freshet/ordering/mmr'
import { placeSoftly, type Penalty } from '@freshet/ordering/place-softly'
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
    const pins = new Uint16Array(above.length + reached.length)
    pins.set(above)
    pins.set(reached, above.length)
    const penalty = penaltyOf(pool.vectors(pins), { weight: weight * pool.spread, window })
    for (let at = 0; at < above.length; at++) penalty.place(at)
    return placeSoftly(
      placement,
      { places: pool.places, lookAhead },
      ofRows(penalty, pins, placement.order.length + pool.above.length),
    )
  })
}

/** A penalty that is asked about pins, from one that is asked about their rows. */
function ofRows(penalty: Penalty, pins: Uint16Array, count: number): Penalty {
  const rowOf = new Uint16Array(count)
  for (let row = 0; row < pins.length; row++) rowOf[pins[row]!] = row
  return { of: (pin) => penalty.of(rowOf[pin]!), place: (pin) => penalty.place(rowOf[pin]!) }
}
