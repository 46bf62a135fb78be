import { placesDescending } from './descending.ts'

/**
 * The order of the candidates 0 … n − 1 of a pool, and the utility by which each is placed. Along the order this utility
 * never rises, so a later step can go on from it.
 */
export interface Placement {
  /** Candidates, best first. Each candidate occurs once. */
  readonly order: Uint16Array
  /** By candidate. */
  readonly values: Float32Array
}

/** What a step made of a placement. */
export interface Placed extends Placement {
  /** By candidate: the change in the utility by which it is placed. Below 0, the step held the candidate back. */
  readonly added: Float32Array
}

/** The placement of candidates that are in order already. Values that rise along the order are lowered. */
export function placementOf(values: Float32Array): Placement {
  const order = new Uint16Array(values.length)
  const lowered = new Float32Array(values.length)
  let least = Infinity
  for (let i = 0; i < values.length; i++) {
    order[i] = i
    lowered[i] = least = Math.min(least, values[i]!)
  }
  return { order, values: lowered }
}

/** Candidates that are not placed yet, in their order: a linked list, from which a candidate leaves in O(1). */
export interface Remaining {
  /** The first one; −1: none is left. */
  readonly first: number
  /** The one after a candidate; −1: it is the last. */
  after(candidate: number): number
  remove(candidate: number): void
}

/** All candidates of an order. */
export function remainingOf(order: Uint16Array): Remaining {
  const count = order.length
  const next = new Int32Array(count).fill(-1)
  const before = new Int32Array(count).fill(-1)
  for (let i = 1; i < count; i++) {
    next[order[i - 1]!] = order[i]!
    before[order[i]!] = order[i - 1]!
  }
  let first = count === 0 ? -1 : order[0]!
  return {
    get first() {
      return first
    },
    after: (candidate) => next[candidate]!,
    remove(candidate) {
      const [earlier, later] = [before[candidate]!, next[candidate]!]
      if (earlier >= 0) next[earlier] = later
      else first = later
      if (later >= 0) before[later] = earlier
    },
  }
}

/** Collects a new order. */
export interface PlacementWriter {
  /** Number of candidates placed so far. */
  readonly count: number
  /** Places a candidate. Its value is lowered to that of the one above it. */
  place(candidate: number, value: number): void
  /** Places the remaining candidates in their order. */
  finish(remaining: Remaining): Placed
}

/** A writer of what a step makes of `given`. */
export function placementWriter(given: Placement): PlacementWriter {
  const order = new Uint16Array(given.order.length)
  const values = new Float32Array(order.length)
  const added = new Float32Array(order.length)
  let count = 0
  let least = Infinity
  function place(candidate: number, value: number): void {
    order[count++] = candidate
    values[candidate] = least = Math.min(least, value)
    added[candidate] = values[candidate] - given.values[candidate]!
  }
  return {
    get count() {
      return count
    },
    place,
    finish(remaining) {
      for (let at = remaining.first; at >= 0; at = remaining.after(at)) place(at, given.values[at]!)
      return { order, values, added }
    },
  }
}

/** The order of `given` by other values, highest first. Between equals the earlier one comes first. */
export function placedBy(given: Placement, values: Float32Array): Placed {
  const before = given.order
  const inOrder = new Float32Array(before.length)
  for (let place = 0; place < before.length; place++) inOrder[place] = values[before[place]!]!
  const order = placesDescending(inOrder)
  for (let place = 0; place < order.length; place++) order[place] = before[order[place]!]!
  return { order, values, added: minus(values, given.values) }
}

/** The differences of numbers. */
export function minus(values: Float32Array, others: Float32Array): Float32Array {
  const differences = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) differences[i] = values[i]! - others[i]!
  return differences
}

/** The place of each candidate of an order. */
export function placesOf(order: Uint16Array): Uint16Array {
  const places = new Uint16Array(order.length)
  for (let place = 0; place < order.length; place++) places[order[place]!] = place
  return places
}
