/** A table from 32-bit numbers to the largest value given for each, by open addressing. Each request fills it again. */
export interface NumberTable {
  /** Distinct numbers. */
  readonly size: number
  /** Replaces all entries. Values are above zero; of a number given twice the larger one stays. */
  fill(numbers: Uint32Array, values: Uint32Array): void
  /** The value of a number; 0: it is not in the table. */
  get(number: number): number
}

/** An empty table; it keeps the room of the largest filling so far. */
export function createNumberTable(): NumberTable {
  let slots = 64
  let keys = new Uint32Array(slots)
  let values = new Uint32Array(slots)
  let size = 0

  function slotOf(number: number): number {
    // Numbers are hashes: their bits need no mixing.
    let slot = number & (slots - 1)
    while (values[slot] !== 0 && keys[slot] !== number) slot = (slot + 1) & (slots - 1)
    return slot
  }

  return {
    get size() {
      return size
    },
    fill(numbers, given) {
      if (size > 0) values.fill(0)
      size = 0
      if (numbers.length * 2 > slots) {
        while (numbers.length * 2 > slots) slots *= 2
        keys = new Uint32Array(slots)
        values = new Uint32Array(slots)
      }
      for (let i = 0; i < numbers.length; i++) {
        const number = numbers[i]!
        const slot = slotOf(number)
        if (values[slot] === 0) size++
        keys[slot] = number
        values[slot] = Math.max(1, values[slot]!, given[i]!)
      }
    },
    get: (number) => values[slotOf(number)]!,
  }
}
