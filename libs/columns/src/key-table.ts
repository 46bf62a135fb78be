/** A map from 64-bit keys (two unsigned halves) to row numbers, in typed arrays: 12 bytes a slot, at most half full. */
export interface KeyTable {
  readonly size: number
  /** The row under a key, -1 where there is none. */
  get(high: number, low: number): number
  set(high: number, low: number, row: number): void
  delete(high: number, low: number): void
  clear(): void
  bytes(): number
}

/** Numbers of a slot: both halves of the key, and the row plus one; 0: the slot is free. They lie together, because each slot that is looked at costs a miss of the cache. */
const slotWidth = 3

/** An empty table. Linear probing; a deleted slot is closed by moving its followers up. */
export function createKeyTable(): KeyTable {
  let capacity = 1024
  let slots = new Uint32Array(capacity * slotWidth)
  let size = 0

  /** Where the slot of a key begins, or the free one where it belongs. */
  function slotOf(high: number, low: number): number {
    const end = capacity * slotWidth
    let at = homeOf(high, low)
    while (slots[at + 2] !== 0 && (slots[at] !== high || slots[at + 1] !== low)) {
      at += slotWidth
      if (at === end) at = 0
    }
    return at
  }

  function homeOf(high: number, low: number): number {
    return ((low ^ Math.imul(high, 0x9e3779b1)) & (capacity - 1)) * slotWidth
  }

  function grow(): void {
    const before = slots
    capacity *= 2
    slots = new Uint32Array(capacity * slotWidth)
    for (let from = 0; from < before.length; from += slotWidth) {
      if (before[from + 2] === 0) continue
      const at = slotOf(before[from]!, before[from + 1]!)
      for (let i = 0; i < slotWidth; i++) slots[at + i] = before[from + i]!
    }
  }

  return {
    get size() {
      return size
    },
    get: (high, low) => slots[slotOf(high >>> 0, low >>> 0) + 2]! - 1,
    set(high, low, row) {
      const at = slotOf(high >>> 0, low >>> 0)
      const isNew = slots[at + 2] === 0
      slots[at] = high
      slots[at + 1] = low
      slots[at + 2] = row + 1
      if (isNew && ++size * 2 > capacity) grow()
    },
    delete(high, low) {
      let hole = slotOf(high >>> 0, low >>> 0)
      if (slots[hole + 2] === 0) return
      size--
      const end = capacity * slotWidth
      let next = hole
      for (;;) {
        next += slotWidth
        if (next === end) next = 0
        if (slots[next + 2] === 0) break
        const home = homeOf(slots[next]!, slots[next + 1]!)
        // Moves up only if its home is not between the hole and itself.
        if ((next - home + end) % end < (next - hole + end) % end) continue
        slots.copyWithin(hole, next, next + slotWidth)
        hole = next
      }
      slots[hole + 2] = 0
    },
    clear() {
      slots.fill(0)
      size = 0
    },
    bytes: () => capacity * slotWidth * 4,
  }
}
