import { orZero } from './or-zero.ts'
import { grownFloat64, grownInt32, grownUint8, nextCapacity } from './growth.ts'

/**
 * Many short lists of (key, time) pairs in two shared columns. A list lives in a block of 2, 4, 8, … entries; freed
 * blocks are used again. Growth may replace `keys` and `times`: read the properties again after each change.
 */
export interface ListPool {
  readonly keys: Int32Array
  readonly times: Float64Array
  /** Entries in all lists together. */
  readonly entries: number
  /** Where a list begins in `keys` and `times`. */
  startOf(list: number): number
  lengthOf(list: number): number
  /** Puts an entry at `index`, moving later ones on. */
  insert(list: number, index: number, key: number, time: number): void
  /** Takes out the entry at `index`, moving later ones up. */
  removeAt(list: number, index: number): void
  /** Empties a list and gives its block back. */
  free(list: number): void
  clear(): void
  bytes(): number
}

/** An empty pool; lists are named by numbers from 0 and exist as soon as they are written. */
export function createListPool(): ListPool {
  let keys = new Int32Array(0)
  let times = new Float64Array(0)
  let starts = new Int32Array(0)
  let lengths = new Int32Array(0)
  let classes = new Uint8Array(0)
  let used = 0
  let entries = 0
  let freeBlocks: number[][] = []

  function allocate(blockClass: number): number {
    const reused = freeBlocks[blockClass]?.pop()
    if (reused !== undefined) return reused
    const start = used
    used += 1 << blockClass
    if (used > keys.length) {
      const capacity = nextCapacity(keys.length, used)
      keys = grownInt32(keys, capacity)
      times = grownFloat64(times, capacity)
    }
    return start
  }

  function release(list: number): void {
    const blockClass = classes[list]!
    if (blockClass === 0) return
    const blocks = (freeBlocks[blockClass] ??= [])
    blocks.push(starts[list]!)
    classes[list] = 0
  }

  function makeRoom(list: number): void {
    if (list >= starts.length) {
      const capacity = nextCapacity(starts.length, list + 1)
      starts = grownInt32(starts, capacity)
      lengths = grownInt32(lengths, capacity)
      classes = grownUint8(classes, capacity)
    }
    const length = lengths[list]!
    const blockClass = classes[list]!
    if (blockClass > 0 && length < 1 << blockClass) return
    const from = starts[list]!
    const to = allocate(blockClass + 1)
    keys.copyWithin(to, from, from + length)
    times.copyWithin(to, from, from + length)
    release(list)
    starts[list] = to
    classes[list] = blockClass + 1
  }

  return {
    get keys() {
      return keys
    },
    get times() {
      return times
    },
    get entries() {
      return entries
    },
    startOf: (list) => orZero(starts[list]),
    lengthOf: (list) => orZero(lengths[list]),
    insert(list, index, key, time) {
      makeRoom(list)
      const start = starts[list]!
      const end = start + lengths[list]!
      const at = start + index
      keys.copyWithin(at + 1, at, end)
      times.copyWithin(at + 1, at, end)
      keys[at] = key
      times[at] = time
      lengths[list] = lengths[list]! + 1
      entries++
    },
    removeAt(list, index) {
      const start = starts[list]!
      const end = start + lengths[list]!
      keys.copyWithin(start + index, start + index + 1, end)
      times.copyWithin(start + index, start + index + 1, end)
      lengths[list] = lengths[list]! - 1
      entries--
    },
    free(list) {
      if (list >= starts.length) return
      release(list)
      entries -= lengths[list]!
      lengths[list] = 0
    },
    clear() {
      lengths.fill(0)
      classes.fill(0)
      used = 0
      entries = 0
      freeBlocks = []
    },
    bytes: () => keys.byteLength + times.byteLength + starts.byteLength + lengths.byteLength + classes.byteLength,
  }
}
