import type { EmbeddingErrorCode } from '../errors.ts'

/** Checks an embedding against the width of the others (0: there are none yet); returns the problem, or null. */
export function embeddingProblem(vector: Float32Array, width: number): EmbeddingErrorCode | null {
  if (vector.length === 0 || (width !== 0 && vector.length !== width)) return 'EMBEDDING_WRONG_WIDTH'
  let norm = 0
  for (const value of vector) norm += value * value
  if (!Number.isFinite(norm)) return 'EMBEDDING_NOT_FINITE'
  return norm === 0 ? 'EMBEDDING_ZERO_NORM' : null
}
