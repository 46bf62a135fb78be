import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { OrderingStep as OrderingStepMessage } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { pickInts } from '../pick.ts'
import type { PoolPins } from './candidate-classes.ts'
import type { Ordered } from './pool.ts'

/** What each step added to the utilities of some rows, and what it notes about them; NaN for a row outside the pool. */
export function recordedSteps(ordered: Ordered | null, rows: Int32Array): OrderingStepMessage[] {
  if (ordered === null) return []
  const { pool, steps } = ordered
  const candidates = candidatesOf(pool.pins, rows)
  return steps.map(({ step, added, notes }) => {
    const ofRows = new Float32Array(rows.length)
    const noted = new Uint8Array(rows.length)
    let isEmpty = true
    for (let i = 0; i < rows.length; i++) {
      const candidate = candidates[i]!
      ofRows[i] = added[candidate] ?? NaN
      noted[i] = notes?.noted[candidate] ?? 0
      isEmpty &&= noted[i] === 0
    }
    return {
      step,
      added: bytesOf(ofRows),
      notes: isEmpty || notes === null ? [] : [...notes.names],
      noted: isEmpty ? nothing : noted,
    }
  })
}

/** The candidate of a pool that each row is; −1: none. */
function candidatesOf({ columns, rows: ofPool }: PoolPins, rows: Int32Array): Int32Array {
  const candidateOf = new Int32Array(columns.pinIds.length).fill(-1)
  for (let candidate = 0; candidate < ofPool.length; candidate++) candidateOf[ofPool[candidate]!] = candidate
  return pickInts(candidateOf, rows)
}

const nothing = new Uint8Array(0)
