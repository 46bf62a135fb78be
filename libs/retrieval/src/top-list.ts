import type { Catalogue } from './catalogue.ts'
import { createHits, selectorInto } from './score-board.ts'

/** The rows with the largest keys, kept up to date as keys rise, so that nothing is scanned when it is asked for. */
export interface TopList {
  readonly size: number
  /** The row at a position; positions are in no order. */
  rowAt(index: number): number
  /** A row's key has risen. O(log listed). */
  raised(row: number): void
  /** A row has been deleted or is back. */
  changed(row: number): void
  /** Reads all keys anew. O(pins): after a restore. */
  rebuild(): void
  bytes(): number
}

/** Reads a row's key: larger is better, -Infinity is not listed. Keys may only rise. */
export interface TopListOptions {
  readonly catalogue: Catalogue
  readonly maxListed: number
  readonly keyOf: (row: number) => number
  /** Rows that may be listed at all; all where absent. */
  readonly admits?: (row: number) => boolean
}

/** An empty list of at most `maxListed` rows. */
export function createTopList({ catalogue, maxListed, keyOf, admits }: TopListOptions): TopList {
  const heap = new Int32Array(maxListed)
  const places = new Map<number, number>()
  let size = 0
  let removedSinceRebuild = 0

  const worse = (a: number, b: number): boolean => {
    const keyA = keyOf(a)
    const keyB = keyOf(b)
    return keyA < keyB || (keyA === keyB && catalogue.before(b, a))
  }

  function put(row: number, at: number): void {
    heap[at] = row
    places.set(row, at)
  }

  function up(from: number): void {
    const row = heap[from] ?? 0
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!worse(row, heap[parent] ?? 0)) break
      put(heap[parent] ?? 0, at)
      at = parent
    }
    put(row, at)
  }

  function down(from: number): void {
    const row = heap[from] ?? 0
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && worse(heap[child + 1] ?? 0, heap[child] ?? 0)) child++
      if (!worse(heap[child] ?? 0, row)) break
      put(heap[child] ?? 0, at)
      at = child
    }
    put(row, at)
  }

  function raised(row: number): void {
    const place = places.get(row)
    if (place !== undefined) return down(place)
    if (!catalogue.isAlive(row) || keyOf(row) === -Infinity || (admits !== undefined && !admits(row))) return
    if (size < maxListed) {
      put(row, size++)
      return up(size - 1)
    }
    const last = heap[0] ?? 0
    if (!worse(last, row)) return
    places.delete(last)
    put(row, 0)
    down(0)
  }

  function remove(place: number): void {
    places.delete(heap[place] ?? 0)
    size--
    removedSinceRebuild++
    if (place === size) return
    put(heap[size] ?? 0, place)
    down(place)
    up(places.get(heap[place] ?? 0) ?? place)
  }

  function rebuild(): void {
    size = 0
    removedSinceRebuild = 0
    places.clear()
    for (let row = 0; row < catalogue.size; row++) raised(row)
  }

  return {
    get size() {
      return size
    },
    rowAt: (index) => heap[index] ?? -1,
    raised,
    changed(row) {
      const place = places.get(row)
      if (place === undefined) return raised(row)
      if (catalogue.isAlive(row) && (admits === undefined || admits(row))) return
      remove(place)
      // Whoever fell off the end earlier is missed only once much of the list has gone.
      if (removedSinceRebuild > maxListed / 2) rebuild()
    },
    rebuild,
    bytes: () => heap.byteLength + size * 48,
  }
}

/** The list's rows with their keys as scores relative to the best, best first: for tests and last resorts. */
export function sortedTop(list: TopList, catalogue: Catalogue, keyOf: (row: number) => number): Int32Array {
  const hits = createHits(list.size)
  const best = selectorInto(catalogue, list.size, hits)
  let largest = -Infinity
  for (let i = 0; i < list.size; i++) largest = Math.max(largest, keyOf(list.rowAt(i)))
  for (let i = 0; i < list.size; i++) best.offer(list.rowAt(i), 2 ** (keyOf(list.rowAt(i)) - largest), () => true)
  best.finish()
  return hits.rows.slice(0, hits.count)
}
