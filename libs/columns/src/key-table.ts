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

/** An empty table. Linear probing; a deleted slot is closed by moving its followers up. */
export function createKeyTable(): KeyTable {
  let capacity = 1024
  let highs = new Uint32Array(capacity)
  let lows = new Uint32Array(capacity)
  let rows = new Int32Array(capacity)
  let size = 0

  function slotOf(high: number, low: number): number {
    const mask = capacity - 1
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & mask
    while (rows[slot] !== 0 && (highs[slot] !== high || lows[slot] !== low)) slot = (slot + 1) & mask
    return slot
  }

  function grow(): void {
    const [oldHighs, oldLows, oldRows] = [highs, lows, rows]
    capacity *= 2
    highs = new Uint32Array(capacity)
    lows = new Uint32Array(capacity)
    rows = new Int32Array(capacity)
    for (let i = 0; i < oldRows.length; i++) {
      const row = oldRows[i]!
      if (row === 0) continue
      const slot = slotOf(oldHighs[i]!, oldLows[i]!)
      highs[slot] = oldHighs[i]!
      lows[slot] = oldLows[i]!
      rows[slot] = row
    }
  }

  return {
    get size() {
      return size
    },
    get: (high, low) => rows[slotOf(high >>> 0, low >>> 0)]! - 1,
    set(high, low, row) {
      const slot = slotOf(high >>> 0, low >>> 0)
      const isNew = rows[slot] === 0
      highs[slot] = high
      lows[slot] = low
      rows[slot] = row + 1
      if (isNew && ++size * 2 > capacity) grow()
    },
    delete(high, low) {
      const mask = capacity - 1
      let hole = slotOf(high >>> 0, low >>> 0)
      if (rows[hole] === 0) return
      size--
      let next = hole
      for (;;) {
        next = (next + 1) & mask
        if (rows[next] === 0) break
        const home = (lows[next]! ^ Math.imul(highs[next]!, 0x9e3779b1)) & mask
        if (((next - home) & mask) < ((next - hole) & mask)) continue
        highs[hole] = highs[next]!
        lows[hole] = lows[next]!
        rows[hole] = rows[next]!
        hole = next
      }
      rows[hole] = 0
    },
    clear() {
      rows.fill(0)
      size = 0
    },
    bytes: () => capacity * 12,
  }
}
