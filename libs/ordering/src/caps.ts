import { isRepeated, type Classes } from './classes.ts'
import type { Rule } from './place-strictly.ts'

/** How many candidates of one class may be near each other. */
export interface CappedClass {
  readonly classes: Classes
  /** At most this many of a class within `window` places in a row. */
  readonly most: number
  /** Places. */
  readonly window: number
}

/** The rule that no window has more of a class than its cap. A candidate of several classes must fit for each of them. */
export function capsRule(capped: readonly CappedClass[]): Rule {
  const kinds = capped.filter(({ most, window }) => most < window).map(windowOf)
  return {
    allows(candidate) {
      for (let i = 0; i < kinds.length; i++) if (!kinds[i]!.fits(candidate)) return false
      return true
    },
    place(candidate) {
      for (let i = 0; i < kinds.length; i++) kinds[i]!.place(candidate)
    },
  }
}

function windowOf({ classes: { ids, width, count }, most, window }: CappedClass) {
  const counts = new Uint16Array(count)
  // The candidates of the last `window − 1` places; the next place completes the window.
  const ring = new Int32Array(Math.max(1, window - 1)).fill(-1)
  let at = 0

  function change(candidate: number, by: number): void {
    const from = candidate * width
    for (let i = from; i < from + width; i++) {
      const id = ids[i]!
      if (id !== 0 && !isRepeated(ids, from, i)) counts[id] = counts[id]! + by
    }
  }

  return {
    fits(candidate: number): boolean {
      for (let i = candidate * width; i < (candidate + 1) * width; i++) {
        const id = ids[i]!
        if (id !== 0 && counts[id]! >= most) return false
      }
      return true
    },
    place(candidate: number): void {
      if (ring[at]! >= 0) change(ring[at]!, -1)
      ring[at] = candidate
      change(candidate, 1)
      at = (at + 1) % ring.length
    },
  }
}

/** Whether the candidates of a pool have so few of each class that no order of them breaks a cap. */
export function cannotBreak(capped: readonly CappedClass[]): boolean {
  return capped.every(({ classes: { ids, width, count }, most, window }) => {
    if (most >= window) return true
    const counts = new Uint16Array(count)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!
      if (id === 0 || isRepeated(ids, i - (i % width), i)) continue
      counts[id] = counts[id]! + 1
      if (counts[id] > most) return false
    }
    return true
  })
}
