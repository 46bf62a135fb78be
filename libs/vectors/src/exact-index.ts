import { readSnapshot, writeSnapshot, type SavableVectorIndex } from './snapshot.ts'
import { checkK, checkRow, checkVector } from './validate.ts'
import { createVectorStore } from './vector-store.ts'

/** Width and content of a new index. */
export interface ExactIndexOptions {
  /** Components per vector, 1 to 16384. */
  readonly dimensions: number
  /** What `save` of an index of the same width gave; empty when left out. */
  readonly saved?: Uint8Array
}

/**
 * A search that answers as a full f32 scan does, at a fraction of its time: 7-bit codes are scanned in WASM SIMD with
 * certain bounds, and what the bounds leave open is scored in f32. Linear in the number of rows.
 * Throws a RangeError for a bad width, a VectorSnapshotError for unreadable saved bytes.
 */
export function createExactIndex({ dimensions, saved }: ExactIndexOptions): SavableVectorIndex {
  const store = createVectorStore(dimensions)
  const chain = store.createChain()
  if (saved) {
    const { rows, vectors } = readSnapshot(saved, dimensions)
    rows.forEach((row, i) => store.append(chain, row, vectors.subarray(i * dimensions, (i + 1) * dimensions)))
  }
  return {
    dimensions,
    get size() {
      return store.size
    },
    get bytes() {
      return store.bytes
    },
    upsert(row, vector) {
      store.assertIdle()
      checkRow(row)
      checkVector(vector, dimensions)
      const slot = store.slotOf(row)
      if (slot >= 0) store.overwrite(slot, vector)
      else store.append(chain, row, vector)
    },
    remove(row) {
      store.assertIdle()
      const slot = store.slotOf(row)
      if (slot >= 0) store.remove(slot)
    },
    search(query, k, { accept, due = () => false } = {}) {
      checkVector(query, dimensions)
      checkK(k)
      return store.search(query, k, accept, () => store.scan(chain, due))
    },
    save: () => writeSnapshot(store, [chain]),
  }
}
