import { hash32 } from '@freshet/domain/hash'
import { catalogueSweep } from '@freshet/domain/source-names'

import type { Catalogue } from '../views/catalogue.ts'
import type { Interruption } from '../interruption.ts'
import { createHits, selectorInto, type Hits } from '@freshet/columns/score-board'
import type { SourceQuery } from '../source.ts'
import { createRing, type Ring } from './ring.ts'
import type { ShownView } from './shown-pins.ts'

/** The source names of the sweep in an answer: for pins not shown, and for pins shown before. */
export const sweepNames = { unseen: catalogueSweep, again: 'seen-again' } as const

/** The task of a sweep. */
export interface SweepWanted {
  /** The number of pins to find. */
  readonly count: number
  /** Where to begin, see `Swept`. */
  readonly from: number
  /** Whether the answer holds a pin already. */
  readonly isTaken: (row: number) => boolean
  readonly interruption: Interruption
}

/** The result of a sweep. */
export interface Swept {
  /** Where the next sweep begins: all pins before it were shown or must not be shown. */
  readonly sweptTo: number
  /** Whether the sweep has gone through the whole catalogue and left no pin beside the answer that was not shown before. */
  readonly exhausted: boolean
}

/**
 * The last resort: goes through all pins in a fixed order of the user's own and finds pins that no source found. It does
 * not look at skipped pins again in the same round, so each request looks at few pins, and after enough requests it has
 * looked at every pin. If no unseen pin is left, it finds the pins shown longest ago.
 */
export interface Sweep {
  readonly ring: Ring
  /** Pins that were not shown, in the order of the sweep; filled by `run`. */
  readonly unseen: Hits
  /** Pins that were shown, longest ago first; filled by `run`. */
  readonly again: Hits
  run(query: SourceQuery, wanted: SweepWanted): Swept
}

/** The most pins that a sweep finds. */
export const maxSwept = 2_000

/** Larger than any age in seconds: pins of which only the generation is known are older than all others. */
const beforeAllTimes = 2 ** 33

/** More than the entries of a filter's list; times 2³² it is still exact. */
const placesPerDistance = 2 ** 21

/** A sweep over a catalogue; a request looks at no more than `maxSteps` pins. */
export function createSweep({
  catalogue,
  shown,
  seed,
  maxSteps,
}: {
  readonly catalogue: Catalogue
  readonly shown: ShownView
  readonly seed: number
  readonly maxSteps: number
}): Sweep {
  const ring = createRing(catalogue)
  const unseen = createHits(maxSwept)
  const again = createHits(maxSwept)

  /** Larger the longer ago; exact to the second for half a year back. */
  function ageOf(row: number, atSeconds: number): number {
    const lastAtSeconds = shown.lastAtSeconds(row)
    if (lastAtSeconds < 0xffff) return beforeAllTimes / (1 + lastAtSeconds)
    return Math.max(1, atSeconds - lastAtSeconds + 1)
  }

  /** Visits the rows of a filter that are in the ring, each once, in the order in which the ring has them. */
  function walkRows(rows: Int32Array, start: number, visit: (row: number, distance: number) => boolean): void {
    const { order, count } = inRingOrder(rows, start)
    let last = -1
    for (let i = 0; i < count; i++) {
      const row = rows[order[i]! % placesPerDistance]!
      if (row !== last && !visit(row, Math.floor(order[i]! / placesPerDistance))) return
      last = row
    }
  }

  /**
   * One number for each row that is in the ring, ascending: its distance from `start`, then its place in `rows`. Sorting
   * numbers needs no call for each comparison, which is most of the time of sorting rows by their distance.
   */
  function inRingOrder(rows: Int32Array, start: number): { readonly order: Float64Array; readonly count: number } {
    const order = new Float64Array(rows.length)
    let count = 0
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      if (ring.has(row)) order[count++] = ((catalogue.tieOf(row) - start) >>> 0) * placesPerDistance + i
    }
    order.subarray(0, count).sort()
    const rowAt = (i: number): number => rows[order[i]! % placesPerDistance]!
    // Pins of the same hash are rare. The catalogue orders them.
    for (let i = 1; i < count; i++) {
      for (let at = i; at > 0 && catalogue.tieOf(rowAt(at)) === catalogue.tieOf(rowAt(at - 1)); at--) {
        if (!catalogue.before(rowAt(at), rowAt(at - 1))) break
        const moved = order[at]!
        order[at] = order[at - 1]!
        order[at - 1] = moved
      }
    }
    return { order, count }
  }

  return {
    ring,
    unseen,
    again,
    run(query, { count, from: given, isTaken, interruption }) {
      const wanted = Math.min(count, maxSwept)
      const start = hash32(query.userId ?? '', seed)
      const { filter } = query
      // What a filter leaves out was not shown, so the position of the sweep without a filter stays where it is.
      const from = filter === null ? given : hash32(query.userId ?? '', query.atMs)
      const atSeconds = Math.floor(query.atMs / 1000)
      const oldest = selectorInto(catalogue, wanted, again)
      let found = 0
      let steps = 0
      let sweptTo = -1
      let stoppedAt = 0
      let isWhole = true
      const visit = (row: number, distance: number): boolean => {
        if (found === wanted || steps === maxSteps || interruption.due(1)) {
          stoppedAt = distance
          isWhole = false
          return false
        }
        steps++
        if (!query.isEligible(row)) return true
        if (shown.has(row)) {
          oldest.offer(row, ageOf(row, atSeconds), always)
          return true
        }
        if (sweptTo < 0) sweptTo = distance
        if (!isTaken(row)) {
          unseen.rows[found] = row
          unseen.scores[found++] = 1
        }
        return true
      }
      if (filter?.rows) walkRows(filter.rows, start, visit)
      else ring.walk(start, from, visit)
      unseen.count = found
      oldest.finish()
      again.count = Math.min(again.count, wanted - found)
      const reached = sweptTo < 0 ? stoppedAt : sweptTo
      return { sweptTo: filter === null ? reached : given, exhausted: isWhole }
    },
  }
}

function always(): boolean {
  return true
}
