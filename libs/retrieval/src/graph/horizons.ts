import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

import { rateHalfLivesMs } from '../views/rates.ts'
import type { BoardKey } from './pin-graph.ts'

/** The most users remembered; beyond that the one whose trail has dropped nothing for longest goes. */
const maxUsers = 100_000

const countsAfterSeconds = Math.max(...rateHalfLivesMs) / 1000

/**
 * How far back the full trails go: the time of the latest entry that each has dropped. A pin that is not in such a trail
 * may have been in it up to that time, so that an action soon after it does not count as the user's first. Kept apart
 * from the trails, because it has to outlive them.
 */
export interface Horizons {
  /** A trail has dropped an entry of a time, in seconds. */
  note(trail: BoardKey, droppedSeconds: number): void
  /** Whether a trail may have dropped an entry of that time or later. */
  hides(trail: BoardKey, atSeconds: number): boolean
  /** Whether a pin that is new in the trail counts: any pin that it has dropped was there at least the longest half-life ago. */
  counts(trail: BoardKey, atSeconds: number): boolean
  forget(trail: BoardKey): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Creates an empty memory. */
export function createHorizons(): Horizons {
  let seconds = new Map<number, number>()
  // 53 of the 64 bits, which a number holds.
  const nameOf = ({ high, low }: BoardKey): number => high * 2 ** 21 + (low >>> 11)
  const of = (trail: BoardKey): number => (seconds.size === 0 ? -Infinity : (seconds.get(nameOf(trail)) ?? -Infinity))
  return {
    note(trail, droppedSeconds) {
      const name = nameOf(trail)
      const latest = Math.max(droppedSeconds, seconds.get(name) ?? droppedSeconds)
      seconds.delete(name)
      seconds.set(name, latest)
      if (seconds.size <= maxUsers) return
      const [first] = seconds.keys()
      if (first !== undefined) seconds.delete(first)
    },
    hides: (trail, atSeconds) => atSeconds <= of(trail),
    counts: (trail, atSeconds) => atSeconds - of(trail) >= countsAfterSeconds,
    forget(trail) {
      seconds.delete(nameOf(trail))
    },
    save(writer) {
      writer.f64('names', Float64Array.from(seconds.keys()))
      writer.f64('seconds', Float64Array.from(seconds.values()))
    },
    load(reader) {
      const names = reader.f64('names')
      const times = reader.f64('seconds')
      seconds = new Map(Array.from(names, (name, at) => [name, times[at]!]))
    },
  }
}
