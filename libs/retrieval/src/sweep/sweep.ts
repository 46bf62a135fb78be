import { hash32 } from '@freshet/domain/hash'
import { catalogueSweep } from '@freshet/domain/source-names'

import type { Catalogue } from '../views/catalogue.ts'
import type { Interruption } from '../interruption.ts'
import { createHits, selectorInto, type Hits } from '@freshet/columns/score-board'
import type { SourceQuery } from '../source.ts'
import { createRing, type Ring } from './ring.ts'
import type { ShownView } from './shown-pins.ts'
import { walkRows } from './walk-rows.ts'

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
      if (filter?.rows) walkRows(filter.rows, { ring, catalogue, start, visit })
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
