import type { Classes } from './classes.ts'
import { placedBy, type Placed, type Placement } from './placement.ts'

/** How much a user has seen of the classes of one kind. */
export interface SeenKind {
  readonly classes: Classes
  /** By class number: how many pins of the class the user was shown, older ones counting less. */
  readonly exposure: Float64Array
  /** Each exposure multiplies by this, in (0, 1]. */
  readonly decay: number
}

/**
 * The factor of each candidate: `floor + (1 − floor) · Π decay^exposure`. Of several classes of a kind, the one seen most counts.
 */
export function fatigueFactors(kinds: readonly SeenKind[], count: number, floor: number): Float32Array {
  const factors = new Float32Array(count)
  for (let candidate = 0; candidate < count; candidate++) {
    let kept = 1
    for (const { classes, exposure, decay } of kinds) {
      const { ids, width } = classes
      let most = 0
      for (let i = candidate * width; i < (candidate + 1) * width; i++) {
        const id = ids[i]!
        if (id !== 0) most = Math.max(most, exposure[id]!)
      }
      kept *= decay ** most
    }
    factors[candidate] = floor + (1 - floor) * kept
  }
  return factors
}

/**
 * Multiplies what each utility has above the least of the pool by a factor, and orders again. Utilities may be negative and of any
 * scale: above the least, a factor below 1 always lowers a candidate, and adding a constant to all utilities changes nothing.
 */
export function applyFactors(given: Placement, factors: Float32Array): Placed {
  const { values } = given
  let least = Infinity
  for (let i = 0; i < values.length; i++) least = Math.min(least, values[i]!)
  const lowered = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) lowered[i] = least + factors[i]! * (values[i]! - least)
  return placedBy(given, lowered)
}
