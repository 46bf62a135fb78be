import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { OrderingStep as OrderingStepMessage } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { Ordered } from './pool.ts'

/** What each step added to the utilities of some rows; NaN for a row outside the pool. */
export function recordedSteps(ordered: Ordered | null, rows: Int32Array): OrderingStepMessage[] {
  if (ordered === null) return []
  const { pool, steps } = ordered
  const candidateOf = new Map(Array.from(pool.pins.rows, (row, candidate) => [row, candidate]))
  const candidates = Int32Array.from(rows, (row) => candidateOf.get(row) ?? -1)
  return steps.map(({ step, added }) => ({
    step,
    added: bytesOf(Float32Array.from(candidates, (candidate) => added[candidate] ?? NaN)),
  }))
}
