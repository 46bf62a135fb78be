import { mix32 } from '@freshet/domain/hash'

/** Counts of keys, 32-bit hashes other than 0. */
export interface Tally {
  /** How often a key was added. */
  count(key: number): number
  add(key: number): void
}

/** Counts of at most `most` additions. */
export function createTally(most: number): Tally {
  const slots = 4 << (31 - Math.clz32(Math.max(1, most)))
  const keys = new Uint32Array(slots)
  const counts = new Uint32Array(slots)

  /** The slot of a key, or the free one where it belongs. */
  function slotOf(key: number): number {
    let slot = mix32(key) & (slots - 1)
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & (slots - 1)
    return slot
  }

  return {
    count: (key) => counts[slotOf(key)]!,
    add(key) {
      const slot = slotOf(key)
      keys[slot] = key
      counts[slot] = counts[slot]! + 1
    },
  }
}
