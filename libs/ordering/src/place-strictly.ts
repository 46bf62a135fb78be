import { placementWriter, remainingOf, type Placed, type Placement, type Remaining } from './placement.ts'

/** What a place demands of its candidate, given the candidates above it. */
export interface Rule {
  allows(candidate: number): boolean
  /** Whether it asks for certain candidates at the next place, instead of holding others back. Absent: it never does. */
  readonly demands?: boolean
  /** Called with each candidate that was placed. */
  place(candidate: number): void
}

/** An order that follows rules, and where it could not. */
export interface StrictlyPlaced extends Placed {
  /** By place: how many of the rules no remaining candidate could meet together, counted from the last rule; 0: all were met. */
  readonly relaxed: Uint8Array
}

/**
 * Fills each of the first `places` places with the first remaining candidate that all rules allow. If there is none, it drops
 * rules from the last one on until there is one, for this place only. So the first rule is the last to be broken, and no
 * candidate is lost. A candidate that was held back is placed by the value of its place; so is one that a rule demanded.
 */
export function placeStrictly(given: Placement, places: number, rules: readonly Rule[]): StrictlyPlaced {
  const remaining = remainingOf(given.order)
  const writer = placementWriter(given)
  const end = Math.min(places, given.order.length)
  const relaxed = new Uint8Array(end)
  while (writer.count < end) {
    let kept = rules.length
    let found = firstAllowed(remaining, rules, kept)
    while (found < 0) found = firstAllowed(remaining, rules, --kept)
    relaxed[writer.count] = rules.length - kept
    const value = valueAt(found, given, { remaining, rules })
    remaining.remove(found)
    for (const rule of rules) rule.place(found)
    writer.place(found, value)
  }
  return { ...writer.finish(remaining), relaxed }
}

/** The value of a candidate at the next place. If a rule demanded it, it is lifted to the value of the one that it was preferred to. */
function valueAt(
  found: number,
  { values }: Placement,
  { remaining, rules }: { readonly remaining: Remaining; readonly rules: readonly Rule[] },
): number {
  if (!rules.some(({ demands }) => demands === true)) return values[found]!
  const others = rules.filter(({ demands }) => demands !== true)
  const usual = firstAllowed(remaining, others, others.length)
  return usual < 0 ? values[found]! : Math.max(values[found]!, values[usual]!)
}

/** The first candidate that the first `kept` rules allow; −1: none. Without rules, the first one. */
function firstAllowed(remaining: Remaining, rules: readonly Rule[], kept: number): number {
  for (let at = remaining.first; at >= 0; at = remaining.after(at)) {
    let isAllowed = true
    for (let i = 0; i < kept && isAllowed; i++) isAllowed = rules[i]!.allows(at)
    if (isAllowed) return at
  }
  return -1
}
