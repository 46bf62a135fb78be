import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { OrderingStep as OrderingStepMessage } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { Ordered } from './pool.ts'

/** What each step added to the utilities of some rows, and what it notes about them; NaN for a row outside the pool. */
export function recordedSteps(ordered: Ordered | null, rows: Int32Array): OrderingStepMessage[] {
  if (ordered === null) return []
  const { pool, steps } = ordered
  const candidateOf = new Map(Array.from(pool.pins.rows, (row, candidate) => [row, candidate]))
  const candidates = Int32Array.from(rows, (row) => candidateOf.get(row) ?? -1)
  return steps.map(({ step, added, notes }) => {
    const noted = Uint8Array.from(candidates, (candidate) => notes?.noted[candidate] ?? 0)
    const isEmpty = noted.every((note) => note === 0)
    return {
      step,
      added: bytesOf(Float32Array.from(candidates, (candidate) => added[candidate] ?? NaN)),
      notes: isEmpty || notes === null ? [] : [...notes.names],
      noted: isEmpty ? nothing : noted,
    }
  })
}

const nothing = new Uint8Array(0)
