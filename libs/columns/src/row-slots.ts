/** Where each row lies: a sparse map from row number to slot in pages of typed arrays, every operation O(1). */
export interface RowSlots {
  /** The slot of a row, or −1. */
  get(row: number): number
  set(row: number, slot: number): void
  delete(row: number): void
  /** Bytes held by the pages. */
  readonly bytes: number
}

const pageBits = 12
const pageSize = 1 << pageBits

/** An empty map. Pages are made when a row in them is set, so far apart row numbers cost a page each, not the range between. */
export function createRowSlots(): RowSlots {
  const pages = new Map<number, Int32Array>()
  const dense: (Int32Array | undefined)[] = []
  const denseLimit = 1 << 16
  const pageOf = (number: number) => (number < denseLimit ? dense[number] : pages.get(number))
  let count = 0
  return {
    get bytes() {
      return count * pageSize * 4
    },
    get: (row) => pageOf(row >>> pageBits)?.[row & (pageSize - 1)] ?? -1,
    set(row, slot) {
      const number = row >>> pageBits
      let page = pageOf(number)
      if (!page) {
        page = new Int32Array(pageSize).fill(-1)
        count++
        if (number < denseLimit) {
          while (dense.length <= number) dense.push(undefined)
          dense[number] = page
        } else pages.set(number, page)
      }
      page[row & (pageSize - 1)] = slot
    },
    delete(row) {
      const page = pageOf(row >>> pageBits)
      if (page) page[row & (pageSize - 1)] = -1
    },
  }
}
