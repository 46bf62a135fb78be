import { minus, remainingOf, type Placed, type Placement } from './placement.ts'
import type { Rule } from './place-strictly.ts'
import type { Random } from './random.ts'

/** Options of a drawn order. */
export interface DrawOptions {
  /** Number of places that are drawn; the other candidates follow in their order. */
  readonly places: number
  /** In the unit of utility, above 0. The higher, the closer all orders are in probability. */
  readonly temperature: number
  /** What a place demands. A place that no remaining candidate meets may have any of them. */
  readonly rule: Rule
  readonly random: Random
}

/** A drawn order and its probabilities. */
export interface Drawn extends Placed {
  /** By place: the probability of its candidate, given those above it. */
  readonly propensities: Float64Array
  /** By candidate: the place from which on the rule kept it out; the number of drawn places: it did not. Holds for the first `steadyPlaces`. */
  readonly keptOutFrom: Uint16Array
  /** Number of places, from the first one, up to which the rule let nothing in again and some candidate met it. */
  readonly steadyPlaces: number
}

/**
 * Draws an order: at each place it adds Gumbel noise to utility ÷ temperature and takes the best candidate that the rule allows. Without a
 * rule that is Gumbel top-k, sampling without replacement in which each place has the softmax over what is left (Plackett–Luce;
 * Yellott, 1977). The noise is drawn again for each place, so this holds under a rule too. A candidate is placed by the utility of the one
 * whose place it takes.
 */
export function drawOrder(given: Placement, { places, temperature, rule, random }: DrawOptions): Drawn {
  const { order: before, values: utilities } = given
  const remaining = remainingOf(before)
  const order = new Uint16Array(before.length)
  const end = Math.min(places, before.length)
  const propensities = new Float64Array(end)
  const keptOutFrom = new Uint16Array(before.length).fill(end)
  let steadyPlaces = end
  const worth = (candidate: number) => (utilities[candidate]! - utilities[before[0]!]!) / temperature
  let place = 0
  for (; place < end; place++) {
    let allowed = 0
    for (let at = remaining.first; at >= 0; at = remaining.after(at)) {
      if (!rule.allows(at)) keptOutFrom[at] = Math.min(keptOutFrom[at]!, place)
      else {
        allowed++
        if (keptOutFrom[at]! < place) steadyPlaces = Math.min(steadyPlaces, place)
      }
    }
    if (allowed === 0) steadyPlaces = Math.min(steadyPlaces, place)
    let best = -1
    let most = -Infinity
    // The first allowed candidate has the greatest worth, so the sum cannot underflow to 0.
    let top = NaN
    let sum = 0
    for (let at = remaining.first; at >= 0; at = remaining.after(at)) {
      if (allowed > 0 && !rule.allows(at)) continue
      if (Number.isNaN(top)) top = worth(at)
      sum += Math.exp(worth(at) - top)
      const drawn = worth(at) - Math.log(-Math.log(random() + 2 ** -33))
      if (drawn <= most && best >= 0) continue
      most = drawn
      best = at
    }
    propensities[place] = Math.exp(worth(best) - top) / sum
    remaining.remove(best)
    rule.place(best)
    order[place] = best
  }
  for (let at = remaining.first; at >= 0; at = remaining.after(at)) order[place++] = at
  const values = new Float32Array(order.length)
  for (let at = 0; at < order.length; at++) values[order[at]!] = utilities[before[at]!]!
  return { order, values, added: minus(values, utilities), propensities, keptOutFrom, steadyPlaces }
}
