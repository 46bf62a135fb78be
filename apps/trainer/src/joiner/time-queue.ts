/** Items in the order of a time; items of one time in the order of a text, so that the order is total. */
export interface TimeQueue<Item> {
  readonly size: number
  push(item: Item, atMs: number, tie: string): void
  /** Removes and returns the first item whose time is not after `untilMs`; null: there is none. */
  pop(untilMs: number): Item | null
}

interface Entry<Item> {
  readonly item: Item
  readonly atMs: number
  readonly tie: string
}

/** An empty queue: a binary heap. */
export function createTimeQueue<Item>(): TimeQueue<Item> {
  const heap: Entry<Item>[] = []
  const isBefore = (a: Entry<Item>, b: Entry<Item>): boolean => (a.atMs === b.atMs ? a.tie < b.tie : a.atMs < b.atMs)

  function rise(entry: Entry<Item>): void {
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Entry<Item>
      if (!isBefore(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  function sink(entry: Entry<Item>): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Entry<Item>)) child++
      const below = heap[child] as Entry<Item>
      if (!isBefore(below, entry)) break
      heap[at] = below
      at = child
    }
    heap[at] = entry
  }

  return {
    get size() {
      return heap.length
    },
    push: (item, atMs, tie) => rise({ item, atMs, tie }),
    pop(untilMs) {
      const [first] = heap
      if (first === undefined || first.atMs > untilMs) return null
      const last = heap.pop() as Entry<Item>
      if (heap.length > 0) sink(last)
      return first.item
    },
  }
}
