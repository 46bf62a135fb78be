/** Finds repeats among the hashes of one batch. */
export interface HashSet {
  /** Adds the hash at `index`; false: an equal one that it repeats is there. */
  add(index: number): boolean
}

/**
 * An empty set for some of `hashes`, by their indices: open addressing over the column itself, without a big number for
 * each. `repeats`: whether the hash at the first index repeats the equal one at the second.
 */
export function createHashSet(hashes: BigUint64Array, repeats: (index: number, other: number) => boolean): HashSet {
  const halves = new Uint32Array(hashes.buffer, hashes.byteOffset, 2 * hashes.length)
  const bits = 32 - Math.clz32(Math.max(1, 2 * hashes.length - 1))
  const mask = 2 ** bits - 1
  const slots = new Uint32Array(mask + 1)
  return {
    add(index) {
      const low = halves[2 * index] ?? 0
      const high = halves[2 * index + 1] ?? 0
      for (let slot = low & mask; ; slot = (slot + 1) & mask) {
        const other = slots[slot] ?? 0
        if (other === 0) {
          slots[slot] = index + 1
          return true
        }
        if (halves[2 * other - 2] === low && halves[2 * other - 1] === high && repeats(index, other - 1)) return false
      }
    },
  }
}
