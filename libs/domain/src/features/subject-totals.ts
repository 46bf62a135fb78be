import { totalsWidth } from './pin-totals.ts'

/** Where a row has the number of its pins. */
const pinsAt = totalsWidth
const rowWidth = totalsWidth + 1

/** Totals of the pins of each topic or creator, in one array: a page looks up hundreds of them, and an array for each would take more memory and more reads. */
export class SubjectTotals {
  /** The totals begin at the offsets of `offsetOf`, in the places of `totalsAt`. Growing replaces the array. */
  values = new Float64Array(64 * rowWidth)
  readonly #offsets = new Map<string, number>()
  readonly #free: number[] = []
  #end = 0

  get size(): number {
    return this.#offsets.size
  }

  /** undefined: none of its pins has totals. */
  offsetOf(id: string): number | undefined {
    return this.#offsets.get(id)
  }

  /** Adds a pin's totals (`sign` 1), or takes them back (−1). The place of a subject without pins goes to the next new one. */
  add(id: string, totals: Float64Array, sign: number): void {
    const offset = this.#offsets.get(id) ?? this.#allot(id)
    const { values } = this
    for (let at = 0; at < totalsWidth; at++) values[offset + at] = values[offset + at]! + sign * totals[at]!
    values[offset + pinsAt] = values[offset + pinsAt]! + sign
    if (values[offset + pinsAt] !== 0) return
    this.#offsets.delete(id)
    this.#free.push(offset)
  }

  #allot(id: string): number {
    let offset = this.#free.pop()
    if (offset === undefined) {
      offset = this.#end
      this.#end += rowWidth
      if (this.#end > this.values.length) {
        const larger = new Float64Array(2 * this.values.length)
        larger.set(this.values)
        this.values = larger
      }
    }
    this.values.fill(0, offset, offset + rowWidth)
    this.#offsets.set(id, offset)
    return offset
  }
}
