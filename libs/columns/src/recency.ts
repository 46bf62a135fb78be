import { orZero } from './or-zero.ts'
import { grownInt32, nextCapacity } from './growth.ts'

/** Rows in the order in which they were last touched. Every call is O(1). */
export interface Recency {
  readonly size: number
  /** The row not touched for longest; -1 if there is none. */
  readonly oldest: number
  /** Puts a row last. */
  touch(row: number): void
  /** Removes a row, if it is there. */
  remove(row: number): void
  /** All rows, the oldest first. */
  order(): number[]
  clear(): void
  bytes(): number
}

/** No rows. */
export function createRecency(): Recency {
  // Neighbours by row, plus 1; 0: none. The ring closes in place 0, so that no end is special.
  let after = new Int32Array(0)
  let before = new Int32Array(0)
  let size = 0

  function makeRoom(row: number): void {
    if (row + 1 < after.length) return
    const capacity = nextCapacity(after.length, row + 2)
    after = grownInt32(after, capacity)
    before = grownInt32(before, capacity)
  }

  const isIn = (place: number): boolean => place < after.length && (after[place] !== 0 || before[0] === place)

  function takeOut(place: number): void {
    const [next, previous] = [after[place]!, before[place]!]
    after[previous] = next
    before[next] = previous
    after[place] = 0
    before[place] = 0
    size--
  }

  return {
    get size() {
      return size
    },
    get oldest() {
      return orZero(after[0]) - 1
    },
    touch(row) {
      makeRoom(row)
      const place = row + 1
      if (isIn(place)) takeOut(place)
      const last = before[0]!
      after[last] = place
      before[place] = last
      after[place] = 0
      before[0] = place
      size++
    },
    remove(row) {
      if (isIn(row + 1)) takeOut(row + 1)
    },
    order() {
      const rows: number[] = []
      for (let place = orZero(after[0]); place !== 0; place = after[place]!) rows.push(place - 1)
      return rows
    },
    clear() {
      after.fill(0)
      before.fill(0)
      size = 0
    },
    bytes: () => after.byteLength + before.byteLength,
  }
}
