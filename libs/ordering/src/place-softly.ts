import { placementWriter, placesOf, remainingOf, type Placed, type Placement } from './placement.ts'

/** What speaks against candidates at the next place, given those above it. */
export interface Penalty {
  /** In the unit of utility, at least 0. */
  of(candidate: number): number
  /** Called with each candidate that was placed. */
  place(candidate: number): void
}

/** How far a soft step reaches. */
export interface Reach {
  /** The number of places to fill; the other candidates follow in their order. */
  readonly places: number
  /** No candidate moves further than this from its place, up or down. */
  readonly lookAhead: number
}

/**
 * Fills places greedily with the candidate whose value less its penalty is highest. At each place it considers the first
 * `lookAhead + 1` remaining candidates, so none rises further than `lookAhead`. A candidate that fell by `lookAhead` is placed
 * next, whatever its penalty, so none falls further. Between equals the earlier one is placed.
 */
export function placeSoftly(given: Placement, { places, lookAhead }: Reach, penalty: Penalty): Placed {
  const remaining = remainingOf(given.order)
  const writer = placementWriter(given)
  const placeOf = placesOf(given.order)
  const end = Math.min(places, given.order.length)
  while (writer.count < end) {
    let best = remaining.first
    let value = given.values[best]!
    if (placeOf[best]! + lookAhead > writer.count) {
      value -= penalty.of(best)
      let looked = 0
      for (let at = remaining.after(best); at >= 0 && looked < lookAhead; at = remaining.after(at), looked++) {
        // Values fall along the order and a penalty is at least 0, so the others cannot win.
        if (given.values[at]! <= value) break
        const its = given.values[at]! - penalty.of(at)
        if (its <= value) continue
        best = at
        value = its
      }
    }
    remaining.remove(best)
    penalty.place(best)
    writer.place(best, value)
  }
  return writer.finish(remaining)
}
