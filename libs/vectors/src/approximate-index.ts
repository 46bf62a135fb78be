import { createCells } from './cells.ts'
import { createProbe } from './probe.ts'
import { readSnapshot, writeSnapshot, type SavableVectorIndex } from './snapshot.ts'
import { checkK, checkRow, checkVector } from './validate.ts'
import { createVectorStore } from './vector-store.ts'

/** Width and content of an index, and how much of it a search may leave unread. */
export interface ApproximateIndexOptions {
  /** Components per vector, 1 to 16384. */
  readonly dimensions: number
  /** Up to this many rows every cell is read and the answer is exact. Default 0. */
  readonly exactUpTo?: number
  /** Share of the true best k that a search expects to find, in (0, 1]; 1 reads every cell. Default 0.96. */
  readonly recall?: number
  /** Rows of a cell before it is split, at least 32. Default 512. */
  readonly maxRowsPerCell?: number
  /** What `save` of an index of the same width gave; empty when left out. */
  readonly saved?: Uint8Array
}

/**
 * A search that reads only the cells that may hold one of the best k. Rows are kept in cells of near ones that split,
 * dissolve and re-seat as rows come and go, so there is no training and no rebuild. Cells are read, likeliest first,
 * until those left are expected to hold less than (1 − recall)·k rows above the k-th best so far (probe.ts). So
 * clustered data costs few cells, shapeless data more, and a filter that lets little through widens the search by itself.
 * Throws a RangeError for options out of bounds, a VectorSnapshotError for unreadable saved bytes.
 */
export function createApproximateIndex(options: ApproximateIndexOptions): SavableVectorIndex {
  const { dimensions, exactUpTo = 0, recall = 0.96, maxRowsPerCell = 512, saved } = options
  if (!(recall > 0 && recall <= 1)) throw new RangeError(`recall must be in (0, 1], not ${recall}`)
  if (!(Number.isInteger(maxRowsPerCell) && maxRowsPerCell >= 32))
    throw new RangeError(`maxRowsPerCell must be an integer of at least 32, not ${maxRowsPerCell}`)
  const store = createVectorStore(dimensions)
  const cells = createCells(store, { maxRows: maxRowsPerCell })
  const probe = createProbe(store, cells, recall)
  const chains = () => Array.from({ length: cells.count }, (_, cell) => cells.chainOf(cell))

  if (saved) {
    const { rows, vectors, counts } = readSnapshot(saved, dimensions)
    let at = 0
    for (const count of counts) {
      // A cell of another index may be larger than ours may be: its rows then find their cells one by one.
      const whole = count <= maxRowsPerCell
      const cell = whole ? cells.add() : -1
      for (const end = at + count; at < end; at++) {
        const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions)
        if (whole) store.append(cells.chainOf(cell), rows[at]!, vector)
        else cells.insert(rows[at]!, vector)
      }
      if (whole) cells.settle(cell)
    }
  }

  return {
    dimensions,
    get size() {
      return store.size
    },
    get bytes() {
      return store.bytes + cells.bytes
    },
    upsert(row, vector) {
      store.assertIdle()
      checkRow(row)
      checkVector(vector, dimensions)
      const slot = store.slotOf(row)
      if (slot < 0) cells.insert(row, vector)
      else cells.replace(slot, vector)
      cells.tend()
    },
    remove(row) {
      store.assertIdle()
      const slot = store.slotOf(row)
      if (slot >= 0) cells.remove(slot)
    },
    search(query, k, { accept, due = never } = {}) {
      checkVector(query, dimensions)
      checkK(k)
      const wanted = Math.min(k, store.size)
      return store.search(query, k, accept, () => {
        // To a zero query all rows are alike: nothing tells which cells hold the smallest row numbers.
        const estimates = store.size > exactUpTo && recall < 1 && query.some((component) => component !== 0)
        if (estimates) probe(query, wanted, due)
        else for (let cell = 0; cell < cells.count; cell++) if (store.scan(cells.chainOf(cell), due)) break
      })
    },
    save: () => writeSnapshot(store, chains()),
  }
}

function never(): boolean {
  return false
}
