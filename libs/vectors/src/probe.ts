import type { Cells } from './cells.ts'
import { unevenTail } from './normal-tail.ts'
import type { VectorStore } from './vector-store.ts'

/** How many deviations above its mean to look for a cell's better rows before anything is known. */
const optimism = 2.5

/** Cells read before anything is estimated: enough to hold twice k rows, within these bounds. */
const minSeeds = 4
const maxSeeds = 8

/** Cells that together hold less than this share of the rows that may be missed are forgotten for the rest of the search. */
const negligible = 1 / 4

/** Rows expected and found that the estimate of how far expectations are off begins with. */
const prior = 4

const buckets = 128

/**
 * Makes the function that reads cells for a search which has begun, likeliest first, until those left are expected to
 * hold at most (1 − recall)·k rows that belong to the best k.
 *
 * What a cell holds above the k-th best score so far is taken from a normal distribution around q·mean. Its deviation is
 * that of the cell's rows, corrected by what the cells read so far had (vectors seldom spread alike in all directions), and
 * the estimate by how many rows the last cells brought against how many they were expected to: tails may be heavy or
 * light, and a filter may keep rows out. A probe passes the number of rows read to `due` and breaks off when it returns true.
 */
export function createProbe(
  store: VectorStore,
  cells: Cells,
  recall: number,
): (query: Float32Array, k: number, due: (rows: number) => boolean) => void {
  let room = 0
  let means = new Float32Array(0)
  let deviations = new Float64Array(0)
  let distances = new Float64Array(0)
  let expectations = new Float64Array(0)
  let left = new Int32Array(0)
  let order = new Int32Array(0)
  let places = new Uint8Array(0)
  const starts = new Int32Array(buckets + 1)

  function ensure(n: number): void {
    if (n <= room) return
    room = Math.max(64, n * 2)
    means = new Float32Array(room)
    deviations = new Float64Array(room)
    distances = new Float64Array(room)
    expectations = new Float64Array(room)
    left = new Int32Array(room)
    order = new Int32Array(room)
    places = new Uint8Array(room)
  }

  /** Orders the first `n` cells of `left` by their distances, to the grain of a bucket, into `order`. */
  function sort(n: number, from: number, to: number): void {
    const grain = to > from ? buckets / (to - from) : 0
    starts.fill(0)
    for (let i = 0; i < n; i++) {
      const place = (distances[left[i]!]! - from) * grain
      const bucket = place > 0 ? (place < buckets ? place | 0 : buckets - 1) : 0
      places[i] = bucket
      starts[bucket + 1]!++
    }
    for (let b = 0; b < buckets; b++) starts[b + 1]! += starts[b]!
    for (let i = 0; i < n; i++) order[starts[places[i]!]!++] = left[i]!
  }

  function sortByHope(n: number): void {
    let nearest = Infinity
    let farthest = -Infinity
    for (let i = 0; i < n; i++) {
      const distance = distances[left[i]!]!
      nearest = Math.min(nearest, distance)
      farthest = Math.max(farthest, distance)
    }
    sort(n, nearest, farthest)
    left.set(order.subarray(0, n))
  }

  return (query, k, due) => {
    const n = cells.count
    ensure(n)
    means.set(cells.scores())
    const cellDeviations = cells.deviations()
    const unevenness = cells.unevenness()
    let norm = 0
    for (let i = 0; i < query.length; i++) norm += query[i]! * query[i]!
    const length = Math.sqrt(norm)
    for (let cell = 0; cell < n; cell++) {
      const deviation = cellDeviations[cell]! * length
      deviations[cell] = deviation
      distances[cell] = -(means[cell]! + optimism * deviation)
      left[cell] = cell
    }

    let squares = 0
    const scan = (cell: number): boolean => {
      const count = cells.countOf(cell)
      squares += (count - (count % 4)) * deviations[cell]! ** 2
      return store.scan(cells.chainOf(cell), due, means[cell])
    }
    sortByHope(n)
    let seeds = 0
    for (let rows = 0; seeds < n && seeds < maxSeeds && (seeds < minSeeds || rows < 2 * k); seeds++) {
      rows += cells.countOf(left[seeds]!)
      if (scan(left[seeds]!)) return
    }
    left.copyWithin(0, seeds, n)
    let remaining = n - seeds

    const budget = (1 - recall) * k
    let forgotten = 0
    let batch = 8
    let batched = 0
    let found = prior
    let foreseen = prior
    while (remaining > 0) {
      const threshold = store.kernel.tighten()
      if (threshold === -Infinity) {
        // Fewer than k accepted so far: nothing is known yet, so keep the initial guess.
        const end = Math.min(batch, remaining)
        for (let i = 0; i < end; i++) if (scan(left[i]!)) return
        left.copyWithin(0, end, remaining)
        remaining -= end
        batch *= 2
        continue
      }
      const correction = squares > 0 ? Math.sqrt(store.kernel.spread() / squares) : 1
      const distanceOf = (cell: number): number =>
        (threshold - means[cell]!) / (correction * deviations[cell]! + Number.MIN_VALUE)
      const expectedOf = (cell: number, distance: number): number =>
        unevenTail(distance, unevenness[cell]!) * cells.countOf(cell)
      if (batched > 0) {
        // Halved each time: what the nearer cells were like says less about those left.
        found = found / 2 + store.kernel.entered()
        foreseen /= 2
        for (let i = 0; i < batched; i++) foreseen += expectedOf(order[i]!, distanceOf(order[i]!))
      }
      const surprise = (found + prior) / (foreseen + prior)
      let missed = forgotten
      for (let i = 0; i < remaining; i++) {
        const cell = left[i]!
        const distance = distanceOf(cell)
        const expected = expectedOf(cell, distance)
        missed += expected
        distances[cell] = distance
        expectations[cell] = expected
      }
      if (missed * surprise <= budget) break
      sort(remaining, -4, 6)
      for (; remaining > 0; remaining--) {
        const expected = expectations[order[remaining - 1]!]!
        if (forgotten + expected > budget * negligible) break
        forgotten += expected
      }
      batched = 0
      while (batched < batch && batched < remaining && missed * surprise > budget) {
        const cell = order[batched++]!
        missed -= expectations[cell]!
        if (scan(cell)) return
      }
      for (let i = batched; i < remaining; i++) left[i - batched] = order[i]!
      remaining -= batched
      // The threshold rises with each batch, so a large one reads what a later look would spare.
      batch = Math.min(batch * 2, Math.max(8, remaining >> 2))
    }
  }
}
