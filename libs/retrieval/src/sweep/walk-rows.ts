import type { Catalogue } from '../views/catalogue.ts'
import type { Ring } from './ring.ts'

/** Rows are grouped by the upper bits of their distance. Only the groups that a walk reaches are sorted. */
const groups = 256
const groupShift = 24
/** More than the rows of a filter; times 2³² it is exact. */
const placesPerDistance = 2 ** 21

/** A walk over some rows. */
export interface RowsWalk {
  readonly ring: Pick<Ring, 'has'>
  readonly catalogue: Pick<Catalogue, 'tieOf' | 'before'>
  /** The hash where the walk begins. */
  readonly start: number
  /** Called with a row and its distance from `start`, 32 bits. Ends the walk if it returns false. */
  readonly visit: (row: number, distance: number) => boolean
}

/**
 * Visits the given rows that are in the ring, each once, in the order in which the ring has them. It sorts numbers, a row's
 * distance and its place in `rows`: no call for each comparison.
 */
export function walkRows(rows: Int32Array, { ring, catalogue, start, visit }: RowsWalk): void {
  const { keys, ends } = grouped(rows, { ring, catalogue, start })
  const rowAt = (at: number): number => rows[keys[at]! % placesPerDistance]!
  let last = -1
  let from = 0
  for (const end of ends) {
    keys.subarray(from, end).sort()
    orderTies(keys, { from, end }, (a, b) => catalogue.before(rowAt(a), rowAt(b)))
    for (; from < end; from++) {
      const row = rowAt(from)
      if (row !== last && !visit(row, distanceIn(keys[from]!))) return
      last = row
    }
  }
}

/** The keys of the rows that are in the ring, group by group, and where each group ends. */
function grouped(
  rows: Int32Array,
  { ring, catalogue, start }: Pick<RowsWalk, 'ring' | 'catalogue' | 'start'>,
): { readonly keys: Float64Array; readonly ends: Int32Array } {
  const ends = new Int32Array(groups)
  const unsorted = new Float64Array(rows.length)
  let count = 0
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!
    if (!ring.has(row)) continue
    const distance = (catalogue.tieOf(row) - start) >>> 0
    unsorted[count++] = distance * placesPerDistance + at
    ends[distance >>> groupShift]!++
  }
  let filled = 0
  for (let group = 0; group < groups; group++) {
    const size = ends[group]!
    ends[group] = filled
    filled += size
  }
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) keys[ends[distanceIn(unsorted[i]!) >>> groupShift]!++] = unsorted[i]!
  return { keys, ends }
}

/** Pins of the same hash are rare. The catalogue orders them. */
function orderTies(
  keys: Float64Array,
  { from, end }: { readonly from: number; readonly end: number },
  isBefore: (a: number, b: number) => boolean,
): void {
  for (let i = from + 1; i < end; i++) {
    for (let at = i; at > from && distanceIn(keys[at]!) === distanceIn(keys[at - 1]!) && isBefore(at, at - 1); at--) {
      const moved = keys[at]!
      keys[at] = keys[at - 1]!
      keys[at - 1] = moved
    }
  }
}

function distanceIn(key: number): number {
  return Math.floor(key / placesPerDistance)
}
