import type { RowOrder } from './row-order.ts'

/** The rows with the largest keys, updated as keys rise, so that reading the list needs no scan. */
export interface TopList {
  readonly size: number
  /** The row at a position; positions are in no order. */
  rowAt(index: number): number
  /** A row's key has risen. O(log listed). */
  raised(row: number): void
  /** A row's key has fallen. */
  lowered(row: number): void
  /** A row may no longer be shown, is back, or is now of another kind. */
  changed(row: number): void
  bytes(): number
}

/** Reads a row's key: larger is better, 0 is not listed. Relative to other keys a key only rises, unless the caller calls `lowered`. */
export interface TopListOptions {
  readonly order: RowOrder
  readonly maxListed: number
  readonly keyOf: (row: number) => number
  /** Rows that may be listed at all. */
  readonly admits: (row: number) => boolean
}

/** An empty list of at most `maxListed` rows. */
export function createTopList({ order, maxListed, keyOf, admits }: TopListOptions): TopList {
  const heap = new Int32Array(maxListed)
  const places = new Map<number, number>()
  let size = 0
  let removedSinceRebuild = 0

  const worse = (a: number, b: number): boolean => {
    const keyA = keyOf(a)
    const keyB = keyOf(b)
    return keyA < keyB || (keyA === keyB && order.before(b, a))
  }

  function put(row: number, at: number): void {
    heap[at] = row
    places.set(row, at)
  }

  function up(from: number): void {
    const row = heap[from]!
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!worse(row, heap[parent]!)) break
      put(heap[parent]!, at)
      at = parent
    }
    put(row, at)
  }

  function down(from: number): void {
    const row = heap[from]!
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && worse(heap[child + 1]!, heap[child]!)) child++
      if (!worse(heap[child]!, row)) break
      put(heap[child]!, at)
      at = child
    }
    put(row, at)
  }

  function raised(row: number): void {
    const place = places.get(row)
    if (place !== undefined) return down(place)
    if (keyOf(row) === 0 || !admits(row)) return
    if (size < maxListed) {
      put(row, size++)
      return up(size - 1)
    }
    const last = heap[0]!
    if (!worse(last, row)) return
    places.delete(last)
    put(row, 0)
    down(0)
  }

  function remove(place: number): void {
    places.delete(heap[place]!)
    size--
    removedSinceRebuild++
    if (place === size) return
    const moved = heap[size]!
    put(moved, place)
    down(place)
    up(places.get(moved) ?? place)
  }

  function rebuild(): void {
    size = 0
    removedSinceRebuild = 0
    places.clear()
    for (let row = 0; row < order.size; row++) raised(row)
  }

  // Whoever fell off the end earlier is missed only once much of the list has gone.
  function rebuildSometimes(): void {
    if (removedSinceRebuild > maxListed / 4) rebuild()
  }

  return {
    get size() {
      return size
    },
    rowAt: (index) => heap[index] ?? -1,
    raised,
    lowered(row) {
      const place = places.get(row)
      if (place === undefined) return
      const wasFull = size === maxListed
      if (keyOf(row) === 0) remove(place)
      else {
        up(place)
        if (wasFull) removedSinceRebuild++
      }
      rebuildSometimes()
    },
    changed(row) {
      const place = places.get(row)
      if (place === undefined) return raised(row)
      if (admits(row)) return
      remove(place)
      rebuildSometimes()
    },
    bytes: () => heap.byteLength + size * 48,
  }
}
