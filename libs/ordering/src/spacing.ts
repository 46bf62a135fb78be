import { isRepeated, type Classes } from './classes.ts'
import type { Penalty } from './place-softly.ts'

/** How far apart candidates of one class should be. */
export interface SpacedClass {
  readonly classes: Classes
  /** The penalty of a candidate right after another of its class, in the unit of utility. */
  readonly weight: number
  /** Number of places above the candidate that count. */
  readonly window: number
}

/**
 * Soft spacing: `U′ = U − Σ λ·q` with `q = Σ_{d ≤ w} 1[the candidate d places above has the class] / d`. Of a candidate with
 * several classes of a kind, the one with the largest q counts.
 */
export function spacingPenalty(spaced: readonly SpacedClass[]): Penalty {
  const kinds = spaced.filter(({ weight, window }) => weight > 0 && window > 0).map(nearnessOf)
  return {
    of(candidate) {
      let sum = 0
      for (let i = 0; i < kinds.length; i++) sum += kinds[i]!.near(candidate)
      return sum
    },
    place(candidate) {
      for (let i = 0; i < kinds.length; i++) kinds[i]!.place(candidate)
    },
  }
}

function nearnessOf({ classes: { ids, width, count }, weight, window }: SpacedClass) {
  // The last placed candidates: the newest is at `newest`, the others before it, in a ring.
  const ring = new Int32Array(window).fill(-1)
  const nearness = new Float32Array(count)
  let newest = window - 1

  function add(candidate: number, amount: number): void {
    const from = candidate * width
    for (let i = from; i < from + width; i++) {
      const id = ids[i]!
      if (id !== 0 && !isRepeated(ids, from, i)) nearness[id] = nearness[id]! + amount
    }
  }

  return {
    near(candidate: number): number {
      let most = 0
      for (let i = candidate * width; i < (candidate + 1) * width; i++) most = Math.max(most, nearness[ids[i]!]!)
      return weight * most
    },
    place(candidate: number): void {
      newest = (newest + 1) % window
      ring[newest] = candidate
      nearness.fill(0)
      for (let d = 1; d <= window; d++) {
        const placed = ring[(newest + window + 1 - d) % window]!
        if (placed < 0) break
        add(placed, 1 / d)
      }
    },
  }
}
