import { grownFloat64, grownInt32, nextCapacity } from '@freshet/columns/growth'
import type { SourceQuery } from '../source.ts'
import type { IndexReading } from './neighbour-index.ts'
import type { NeighbourSet } from './neighbour-set.ts'
import type { RecentPins } from './scoring.ts'

/** Fills `rows` with the user's latest distinct pins, latest first, and returns them with their number. */
export function fillRecentPins(query: SourceQuery, maxRecentPins: number, rows: Int32Array): RecentPins {
  let count = 0
  for (let i = query.recentCount - 1; i >= 0 && count < maxRecentPins; i--) {
    const row = query.recentRows[i]!
    let known = false
    for (let n = 0; n < count && !known; n++) known = rows[n] === row
    if (!known) rows[count++] = row
  }
  return { count, rows }
}

/** Looks up candidate neighbours in the trails view. */
export interface NeighbourGatherer {
  /** Fills `set` with the latest trails of each recent pin, each trail but the user's own once, by reference to the view's columns. */
  gather(recent: RecentPins, index: Pick<IndexReading, 'trails' | 'ownTrail'>, set: NeighbourSet): void
}

/** A gatherer of at most `maxTrailsPerPin` trails for each recent pin. */
export function createNeighbourGatherer(maxTrailsPerPin: number): NeighbourGatherer {
  let stamps = new Int32Array(0)
  let stamp = 0
  return {
    gather(recent, { trails, ownTrail }, set) {
      stamp++
      if (trails.rowLimit > stamps.length) stamps = grownInt32(stamps, nextCapacity(stamps.length, trails.rowLimit))
      makeRoom(set, recent.count * maxTrailsPerPin)
      let count = 0
      for (let i = 0; i < recent.count; i++) {
        const row = recent.rows[i]!
        const first = trails.pinStartOf(row)
        const end = first + trails.pinLengthOf(row)
        for (let at = Math.max(first, end - maxTrailsPerPin); at < end; at++) {
          const trail = trails.sessionRows[at]!
          if (trail === ownTrail || stamps[trail] === stamp) continue
          stamps[trail] = stamp
          set.starts[count] = trails.startOf(trail)
          set.lengths[count] = trails.lengthOf(trail)
          set.trails[count] = trail
          set.lastAtMs[count++] = trails.lastAtMs(trail)
        }
      }
      set.count = count
      set.pinRows = trails.pinRows
    },
  }
}

/** Grows a set's columns to `capacity` candidates. */
function makeRoom(set: NeighbourSet, capacity: number): void {
  if (capacity <= set.starts.length) return
  const room = nextCapacity(set.starts.length, capacity)
  set.starts = grownInt32(set.starts, room)
  set.lengths = grownInt32(set.lengths, room)
  set.trails = grownInt32(set.trails, room)
  set.lastAtMs = grownFloat64(set.lastAtMs, room)
}
