import type { Cells } from './cells.ts'
import { unevenTail } from './normal-tail.ts'
import type { VectorStore } from './vector-store.ts'

/** How many deviations above its mean a cell's better rows are looked for when nothing is known yet. */
const optimism = 2.5

/** Cells read before anything is estimated: enough to hold twice k rows, within these bounds. */
const minSeeds = 4
const maxSeeds = 8

/** A cell whose rows have a smaller chance than this to be above the threshold is forgotten for the rest of the search. */
const negligible = 1e-9

const buckets = 128

/**
 * Makes the function that reads cells for a search which has begun, likeliest first, until those left are expected to
 * hold at most (1 − recall)·k rows that belong to the best k.
 *
 * What a cell holds above the k-th best score so far is taken from a normal distribution around q·mean. Its deviation is
 * that of the cell's rows, corrected by what the cells read so far had (vectors seldom spread alike in all directions), and
 * the estimate by how many rows the last cells brought against how many they were expected to (tails may be heavy).
 */
export function createProbe(
  store: VectorStore,
  cells: Cells,
  recall: number,
): (query: Float32Array, k: number) => void {
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

  return (query, k) => {
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
    const scan = (cell: number) => {
      store.scan(cells.chainOf(cell), means[cell])
      const count = cells.countOf(cell)
      squares += (count - (count % 4)) * deviations[cell]! ** 2
      return count
    }
    let remaining = n
    for (let seeds = 0, rows = 0; remaining > 0 && seeds < maxSeeds && (seeds < minSeeds || rows < 2 * k); seeds++) {
      let best = 0
      for (let i = 1; i < remaining; i++) if (distances[left[i]!]! < distances[left[best]!]!) best = i
      rows += scan(left[best]!)
      left[best] = left[--remaining]!
    }

    const budget = (1 - recall) * k
    let batch = 8
    let surprise = 1
    let ordered = false
    while (remaining > 0) {
      const threshold = store.kernel.tighten()
      let batched = 0
      if (threshold === -Infinity) {
        // Fewer than k accepted so far: nothing is known, go on by hope alone.
        if (!ordered) sortByHope(remaining)
        ordered = true
        while (batched < batch && batched < remaining) scan(left[batched++]!)
        left.copyWithin(0, batched, remaining)
        remaining -= batched
        batch *= 2
        continue
      }
      const correction = squares > 0 ? Math.sqrt(store.kernel.spread() / squares) : 1
      let missed = 0
      let kept = 0
      for (let i = 0; i < remaining; i++) {
        const cell = left[i]!
        const z = (threshold - means[cell]!) / (correction * deviations[cell]! + Number.MIN_VALUE)
        const tail = unevenTail(z, unevenness[cell]!)
        if (tail < negligible) continue
        const expected = tail * cells.countOf(cell)
        missed += expected
        distances[cell] = z
        expectations[cell] = expected
        left[kept++] = cell
      }
      remaining = kept
      if (missed * surprise <= budget) break
      sort(remaining, -4, 6)
      const before = store.kernel.entered()
      let expected = 0
      while (batched < batch && batched < remaining && (missed - expected) * surprise > budget) {
        const cell = order[batched++]!
        expected += expectations[cell]!
        scan(cell)
      }
      surprise = Math.max(1, (store.kernel.entered() - before + 2) / (expected + 2))
      for (let i = batched; i < remaining; i++) left[i - batched] = order[i]!
      remaining -= batched
      // The threshold rises with each batch, so a large one reads what a later look would spare.
      batch = Math.min(batch * 2, Math.max(8, remaining >> 2))
    }
  }
}
