/** A set of 64-bit keys, each in two unsigned halves: 8 bytes a slot, at most half full, no object. */
export interface KeySet {
  has(high: number, low: number): boolean
  /** Adds a key; returns whether it is new. */
  add(high: number, low: number): boolean
  readonly size: () => number
}

/** An empty set; it grows by doubling. */
export function createKeySet(): KeySet {
  let mask = (1 << 12) - 1
  let slots = new Uint32Array(2 * (mask + 1))
  let size = 0
  // The pair (0, 0) marks an empty slot.
  let hasZero = false

  const slotOf = (into: Uint32Array, low: number, high: number): number => {
    for (let at = (low ^ Math.imul(high, 0x9e3779b1)) & mask; ; at = (at + 1) & mask) {
      const foundLow = into[2 * at]!
      const foundHigh = into[2 * at + 1]!
      if ((foundLow === low && foundHigh === high) || (foundLow === 0 && foundHigh === 0)) return at
    }
  }
  const grow = (): void => {
    const before = slots
    mask = 2 * mask + 1
    slots = new Uint32Array(2 * (mask + 1))
    for (let at = 0; at < before.length; at += 2) {
      const low = before[at]!
      const high = before[at + 1]!
      if (low === 0 && high === 0) continue
      const slot = slotOf(slots, low, high)
      slots[2 * slot] = low
      slots[2 * slot + 1] = high
    }
  }

  return {
    has(high, low) {
      if (low === 0 && high === 0) return hasZero
      const at = slotOf(slots, low, high)
      return slots[2 * at] === low && slots[2 * at + 1] === high
    },
    add(high, low) {
      if (low === 0 && high === 0) {
        const isNew = !hasZero
        hasZero = true
        size += Number(isNew)
        return isNew
      }
      const at = slotOf(slots, low, high)
      if (slots[2 * at] === low && slots[2 * at + 1] === high) return false
      slots[2 * at] = low
      slots[2 * at + 1] = high
      if (++size * 2 > mask) grow()
      return true
    },
    size: () => size,
  }
}
