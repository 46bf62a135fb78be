import { splitInTwo } from './split.ts'
import type { VectorStore } from './vector-store.ts'

/** Rows grouped by nearness into cells of bounded size, kept up row by row: the coarse half of the approximate index. */
export interface Cells {
  readonly count: number
  /** The chain that holds a cell's rows. */
  chainOf(cell: number): number
  countOf(cell: number): number
  /** By cell: standard deviation of its rows around their mean in one dimension, the average over all dimensions. */
  deviations(): Float64Array
  /** By cell: how unlike in length its residuals are, the variance of the logarithm of their squared length; 0 for a round cloud. */
  unevenness(): Float64Array
  insert(row: number, vector: Float32Array): void
  remove(slot: number): void
  /** Replaces a row's vector; the row stays in its cell if that is still near, else it moves to another. */
  replace(slot: number, vector: Float32Array): void
  /** Looks at the next row, going round, and moves it when another cell has become nearer: k-means, a little at a time. */
  tend(): void
  /** The dot product of the query of the search under way with every cell's coded mean, right to about 1 %; a view that holds until the next call. */
  scores(): Float32Array
  /** Creates an empty cell, for a restore, and returns its number. */
  add(): number
  /** Recomputes a cell's statistics from its rows, for a restore that has filled its chain. */
  settle(cell: number): void
  /** Bytes held besides the store. */
  readonly bytes: number
}

/** Bounds of the work that one change may cause. */
export interface CellOptions {
  /** A cell beyond this is split in two. */
  readonly maxRows: number
}

/** A move must shorten the distance to the mean by 2 %, else rows on a border would move back and forth. */
const worthwhile = 0.98

/** A new vector within this many times the mean squared distance to the mean stays in its row's cell. */
const usualDistance = 1.2

/** Unevenness that clouds have which are only flat in some directions; that the probe measures by itself. */
const flatness = 0.15

/** Empty cells over a store. Cells of fewer than a sixteenth of `maxRows` rows are dissolved into their neighbours. */
export function createCells(store: VectorStore, { maxRows }: CellOptions): Cells {
  const { dimensions, paddedWidth: width, kernel } = store
  const minRows = maxRows >> 4
  const chains: number[] = []
  const cellOfChain: number[] = []
  let capacity = 0
  let meansAt = 0
  let codesAt = 0
  let scalesAt = 0
  let halvesAt = 0
  let scoresAt = 0
  let sums = new Float64Array(0)
  let squares = new Float64Array(0)
  let fourths = new Float64Array(0)
  let deviations = new Float64Array(0)
  let unevenness = new Float64Array(0)
  let cursor = 0

  function ensure(cells: number): void {
    if (cells <= capacity) return
    const larger = Math.max(16, capacity * 2)
    const means = store.reserve(larger * width * 4)
    const codes = store.reserve(larger * width)
    const scales = store.reserve(larger * 4)
    const halves = store.reserve(larger * 4)
    scoresAt = store.reserve(larger * 4)
    const floats = store.floats()
    const copy = (to: number, from: number, length: number) =>
      floats.copyWithin(to >>> 2, from >>> 2, (from >>> 2) + length)
    copy(means, meansAt, capacity * width)
    copy(codes, codesAt, (capacity * width) / 4)
    copy(scales, scalesAt, capacity)
    copy(halves, halvesAt, capacity)
    meansAt = means
    codesAt = codes
    scalesAt = scales
    halvesAt = halves
    // The kernel reads means in sixteens: those that are not there must never be the nearest.
    floats.fill(Infinity, (halves >>> 2) + capacity, (halves >>> 2) + larger)
    floats.fill(0, (scales >>> 2) + capacity, (scales >>> 2) + larger)
    capacity = larger
    sums = grown(sums, larger * dimensions)
    squares = grown(squares, larger)
    fourths = grown(fourths, larger)
    deviations = grown(deviations, larger)
    unevenness = grown(unevenness, larger)
  }

  function add(): number {
    const cell = chains.length
    ensure(cell + 1)
    const chain = store.createChain()
    chains.push(chain)
    cellOfChain[chain] = cell
    sums.fill(0, cell * dimensions, (cell + 1) * dimensions)
    squares[cell] = 0
    fourths[cell] = 0
    refresh(cell)
    return cell
  }

  /** Makes the mean, its half square and the deviation follow the sums. */
  function refresh(cell: number): void {
    const floats = store.floats()
    const n = Math.max(1, store.countOf(chains[cell]!))
    const from = cell * dimensions
    const to = (meansAt >>> 2) + cell * width
    let norm = 0
    for (let i = 0; i < dimensions; i++) {
      const mean = sums[from + i]! / n
      floats[to + i] = mean
      norm += mean * mean
    }
    floats[(halvesAt >>> 2) + cell] = norm / 2
    floats[(scalesAt >>> 2) + cell] = kernel.encodeMean(to * 4, codesAt, cell)
    const square = squares[cell]! / n
    const residual = Math.max(0, square - norm)
    deviations[cell] = Math.sqrt(residual / dimensions)
    // A normal cloud around the mean has Var |x|² = 4 |mean|² r / d + 2 r² / d, with r its mean squared residual; what is more comes of unlike lengths.
    const excess = fourths[cell]! / n - square * square - (4 * norm * residual + 2 * residual * residual) / dimensions
    const log = residual > 0 ? Math.log(1 + Math.max(0, excess) / (residual * residual)) : 0
    unevenness[cell] = Math.min(4, Math.max(0, log - flatness))
  }

  function account(cell: number, vector: Float32Array, sign: number): void {
    const to = cell * dimensions
    let norm = 0
    for (let i = 0; i < dimensions; i++) {
      const x = vector[i]!
      sums[to + i]! += sign * x
      norm += x * x
    }
    squares[cell]! += sign * norm
    fourths[cell]! += sign * norm * norm
  }

  function nearest(vector: Float32Array): number {
    store.setQuery(vector)
    return kernel.nearestMean(codesAt, scalesAt, halvesAt, chains.length)
  }

  function move(slot: number, to: number): void {
    const from = cellOfChain[store.chainOf(slot)]!
    const vector = store.vectorAt(slot)
    account(from, vector, -1)
    account(to, vector, 1)
    store.move(slot, chains[to]!)
    refresh(from)
    refresh(to)
  }

  function settle(cell: number): void {
    sums.fill(0, cell * dimensions, (cell + 1) * dimensions)
    squares[cell] = 0
    fourths[cell] = 0
    store.eachSlot(chains[cell]!, (slot) => account(cell, store.vectorAt(slot), 1))
    refresh(cell)
  }

  function split(cell: number): void {
    const n = store.countOf(chains[cell]!)
    const vectors = new Float32Array(n * dimensions)
    const rows = new Int32Array(n)
    let i = 0
    store.eachSlot(chains[cell]!, (slot) => {
      rows[i] = store.rowAt(slot)
      vectors.set(store.vectorAt(slot), i++ * dimensions)
    })
    const sides = splitInTwo(vectors, dimensions)
    const other = add()
    for (let r = 0; r < n; r++) if (sides[r] === 1) store.move(store.slotOf(rows[r]!), chains[other]!)
    settle(cell)
    settle(other)
  }

  /** Takes a cell out of the list; its chain stays with whoever empties it. */
  function unlist(cell: number): number {
    const chain = chains[cell]!
    const last = chains.length - 1
    if (cell !== last) {
      chains[cell] = chains[last]!
      cellOfChain[chains[cell]] = cell
      sums.copyWithin(cell * dimensions, last * dimensions, (last + 1) * dimensions)
      squares[cell] = squares[last]!
      fourths[cell] = fourths[last]!
      refresh(cell)
    }
    chains.pop()
    store.floats()[(halvesAt >>> 2) + last] = Infinity
    return chain
  }

  function dissolve(cell: number): void {
    const chain = unlist(cell)
    const rows: number[] = []
    store.eachSlot(chain, (slot) => rows.push(store.rowAt(slot)))
    for (const row of rows) {
      const slot = store.slotOf(row)
      const vector = store.vectorAt(slot)
      const to = nearest(vector)
      account(to, vector, 1)
      store.move(slot, chains[to]!)
      refresh(to)
      bound(to)
    }
    store.freeChain(chain)
  }

  function bound(cell: number): void {
    const n = store.countOf(chains[cell]!)
    if (n > maxRows) split(cell)
    else if (n < minRows && chains.length > 1) dissolve(cell)
  }

  /** Squared distance to a cell's mean. */
  function distance(vector: Float32Array, cell: number): number {
    const floats = store.floats()
    const at = (meansAt >>> 2) + cell * width
    let total = 0
    for (let i = 0; i < dimensions; i++) total += (vector[i]! - floats[at + i]!) ** 2
    return total
  }

  function reseat(slot: number): void {
    const vector = store.vectorAt(slot)
    const from = cellOfChain[store.chainOf(slot)]!
    const to = nearest(vector)
    if (to === from || distance(vector, to) >= distance(vector, from) * worthwhile) return
    // A full cell would be split for a row that only came to tidy up.
    if (store.countOf(chains[to]!) >= maxRows) return
    const chain = chains[from]!
    move(slot, to)
    bound(cellOfChain[chain]!)
  }

  function insert(row: number, vector: Float32Array): void {
    const cell = chains.length === 0 ? add() : nearest(vector)
    store.append(chains[cell]!, row, vector)
    account(cell, vector, 1)
    refresh(cell)
    if (store.countOf(chains[cell]!) > maxRows) split(cell)
  }

  function remove(slot: number): void {
    const cell = cellOfChain[store.chainOf(slot)]!
    account(cell, store.vectorAt(slot), -1)
    store.remove(slot)
    refresh(cell)
    if (store.countOf(chains[cell]!) < minRows && chains.length > 1) dissolve(cell)
  }

  return {
    get count() {
      return chains.length
    },
    chainOf: (cell) => chains[cell]!,
    countOf: (cell) => store.countOf(chains[cell]!),
    deviations: () => deviations,
    unevenness: () => unevenness,
    insert,
    remove,
    replace(slot, vector) {
      const cell = cellOfChain[store.chainOf(slot)]!
      // As near as most of the cell's rows are: no need to look for a nearer one now, `tend` comes by.
      if (distance(vector, cell) <= usualDistance * dimensions * deviations[cell]! ** 2) {
        account(cell, store.vectorAt(slot), -1)
        account(cell, vector, 1)
        store.overwrite(slot, vector)
        refresh(cell)
      } else {
        const row = store.rowAt(slot)
        remove(slot)
        insert(row, vector)
      }
    },
    tend() {
      if (chains.length < 2) return
      // Free places are skipped a block at a time; a few are enough to come round, and keep the step short.
      for (let skips = 0; skips < 8; skips++) {
        if (cursor >= store.blockCount * 64) cursor = 0
        if ((cursor & 63) < store.occupied(cursor >> 6)) return reseat(cursor++)
        cursor = ((cursor >> 6) + 1) << 6
      }
    },
    scores() {
      kernel.meanScores(codesAt, scalesAt, chains.length, scoresAt)
      return store.floats().subarray(scoresAt >>> 2, (scoresAt >>> 2) + chains.length)
    },
    add,
    settle,
    get bytes() {
      return sums.byteLength + squares.byteLength + fourths.byteLength + deviations.byteLength + unevenness.byteLength
    },
  }
}

function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length)
  larger.set(array)
  return larger
}
