import { createApproximateIndex } from './approximate-index.ts'
import type { SavableVectorIndex } from './snapshot.ts'

/** Width and content of an index, and where exactness ends. */
export interface VectorIndexOptions {
  /** Components per vector, 1 to 16384. */
  readonly dimensions: number
  /** Up to this many rows the answer is exact, beyond it approximate (recall ≥ .95 is the aim). Default 50,000. */
  readonly exactUpTo?: number
  /** What `save` of an index of the same width gave; empty when left out. */
  readonly saved?: Uint8Array
}

/**
 * The index to take when nothing else is known: exact while that is quick, approximate beyond. Rows are kept in cells from the
 * start and a search of a small index reads them all, so crossing the border costs nothing in either direction.
 * Throws a RangeError for options out of bounds, a VectorSnapshotError for unreadable saved bytes.
 */
export function createVectorIndex({ dimensions, exactUpTo = 50_000, saved }: VectorIndexOptions): SavableVectorIndex {
  if (!(exactUpTo >= 0)) throw new RangeError(`exactUpTo must be a number of rows, not ${exactUpTo}`)
  return createApproximateIndex({ dimensions, exactUpTo, ...(saved && { saved }) })
}
