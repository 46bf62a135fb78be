import type { Cells } from './cells.ts'
import { unevenTail } from './normal-tail.ts'
import type { VectorStore } from './vector-store.ts'

/** How many deviations above its mean a cell's better rows are looked for when nothing is known yet. */
const optimism = 2.5

/** Cells read before anything is estimated: enough to hold twice k rows, within these bounds. */
const minSeeds = 4
const maxSeeds = 8

/** Cells that together hold less than this share of the rows that may be missed are forgotten for the rest of the search. */
const negligible = 1 / 16

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
 * light, and a filter may keep rows out. A probe breaks off when `due`, which is told of the rows read, says so.
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
  }

  /** Orders the first `n` cells of `left` by their distances, to the grain of a bucket, into `order`. */
  function sort(n: number, from: number, to: number): void {
    const grain = to > from ? buckets / (to - from) : 0
    const bucketOf = (cell: number) => Math.min(buckets - 1, Math.max(0, Math.floor((distances[cell]! - from) * grain)))
    starts.fill(0)
    for (let i = 0; i < n; i++) starts[bucketOf(left[i]!) + 1]!++
    for (let b = 0; b < buckets; b++) starts[b + 1]! += starts[b]!
    for (let i = 0; i < n; i++) order[starts[bucketOf(left[i]!)]!++] = left[i]!
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
    let remaining = n
    for (let seeds = 0, rows = 0; remaining > 0 && seeds < maxSeeds && (seeds < minSeeds || rows < 2 * k); seeds++) {
      let best = 0
      for (let i = 1; i < remaining; i++) if (distances[left[i]!]! < distances[left[best]!]!) best = i
      const cell = left[best]!
      rows += cells.countOf(cell)
      if (scan(cell)) return
      left[best] = left[--remaining]!
    }

    const budget = (1 - recall) * k
    const forgettable = (budget * negligible) / n
    let batch = 8
    let batched = 0
    let found = prior
    let foreseen = prior
    let ordered = false
    while (remaining > 0) {
      const threshold = store.kernel.tighten()
      if (threshold === -Infinity) {
        // Fewer than k accepted so far: nothing is known, go on by hope alone.
        if (!ordered) sortByHope(remaining)
        ordered = true
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
      let missed = 0
      let kept = 0
      for (let i = 0; i < remaining; i++) {
        const cell = left[i]!
        const distance = distanceOf(cell)
        const expected = expectedOf(cell, distance)
        if (expected < forgettable) continue
        missed += expected
        distances[cell] = distance
        expectations[cell] = expected
        left[kept++] = cell
      }
      remaining = kept
      if (missed * surprise <= budget) break
      sort(remaining, -4, 6)
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
