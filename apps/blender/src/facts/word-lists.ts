import { blockClassFor, blockSizes } from '@freshet/columns/block-pool'

/** The word hashes of pins, by row: ascending lists in one column. A pin with n words takes 5 bytes and at most 6 n bytes more. */
export interface WordLists {
  grow(rows: number): void
  /** Replaces a row's list. `hashes`: ascending, at most 255. */
  set(row: number, hashes: Uint32Array): void
  /** Whether a row's list contains one of the words. */
  hasOneOf(row: number, words: Uint32Array): boolean
  bytes(): number
}

/** Creates empty lists. Freed blocks are used again for lists of their size class. */
export function createWordLists(): WordLists {
  let pool = new Uint32Array(1024)
  let used = 0
  let starts = new Uint32Array(0)
  let lengths = new Uint8Array(0)
  const free: number[][] = blockSizes.map(() => [])

  function allocate(length: number): number {
    const blockClass = blockClassFor(length)
    const known = free[blockClass]?.pop()
    if (known !== undefined) return known
    const start = used
    used += blockSizes[blockClass] as number
    if (used > pool.length) {
      const longer = new Uint32Array(Math.max(used, Math.ceil(pool.length * 1.5)))
      longer.set(pool)
      pool = longer
    }
    return start
  }

  return {
    grow(rows) {
      const [longerStarts, longerLengths] = [new Uint32Array(rows), new Uint8Array(rows)]
      longerStarts.set(starts)
      longerLengths.set(lengths)
      starts = longerStarts
      lengths = longerLengths
    },
    set(row, hashes) {
      const before = lengths[row] as number
      if (before > 0) free[blockClassFor(before)]?.push(starts[row] as number)
      lengths[row] = hashes.length
      if (hashes.length === 0) return
      const start = allocate(hashes.length)
      starts[row] = start
      pool.set(hashes, start)
    },
    hasOneOf(row, words) {
      const length = lengths[row] as number
      if (length === 0) return false
      const start = starts[row] as number
      for (let i = 0; i < words.length; i++) if (holds(pool, start, start + length, words[i] as number)) return true
      return false
    },
    bytes: () => pool.byteLength + starts.byteLength + lengths.byteLength,
  }
}

/** Whether the ascending entries from `low` to before `end` contain a value. */
function holds(entries: Uint32Array, low: number, end: number, value: number): boolean {
  let high = end - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return entries[low] === value
}
