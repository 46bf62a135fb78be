import { hash32 } from '@freshet/domain/hash'

import type { Catalogue } from '../views/catalogue.ts'
import type { Interruption } from '../interruption.ts'
import { createHits, selectorInto, type Hits } from '@freshet/columns/score-board'
import type { SourceQuery } from '../source.ts'
import { createRing, type Ring } from './ring.ts'
import type { ShownView } from './shown-pins.ts'

/** The names under which an answer lists what the sweep found: pins not shown, and pins shown before. */
export const sweepNames = { unseen: 'catalogue-sweep', again: 'seen-again' } as const

/** What a sweep has to find. */
export interface SweepWanted {
  /** Pins at least. */
  readonly count: number
  /** Where to begin, see `Swept`. */
  readonly from: number
  /** Whether the answer holds a pin already. */
  readonly isTaken: (row: number) => boolean
  readonly interruption: Interruption
}

/** What a sweep found. */
export interface Swept {
  /** Where the next one begins: all before it was shown, or may not be. */
  readonly sweptTo: number
  /** Whether the whole catalogue was looked through, and nothing that was not shown is left beside the answer. */
  readonly exhausted: boolean
}

/**
 * The last resort: goes through all pins in an order of the user's own, which stays the same, and finds those that no
 * source gave. What it passes over is not looked at again in this round, so that each request looks at few pins, and after
 * enough requests every pin has had its turn. Where none is left it finds those that were shown longest ago.
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
    run(query, { count, from, isTaken, interruption }) {
      const wanted = Math.min(count, maxSwept)
      const start = hash32(query.userId ?? '', seed)
      const atSeconds = Math.floor(query.atMs / 1000)
      const oldest = selectorInto(catalogue, wanted, again)
      let found = 0
      let steps = 0
      let sweptTo = -1
      let stoppedAt = 0
      let isWhole = true
      ring.walk(start, from, (row, distance) => {
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
      })
      unseen.count = found
      oldest.finish()
      again.count = Math.min(again.count, wanted - found)
      return { sweptTo: sweptTo < 0 ? stoppedAt : sweptTo, exhausted: isWhole }
    },
  }
}

function always(): boolean {
  return true
}
