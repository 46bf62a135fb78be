import type { Pausing } from '../plan/pausing.ts'
import type { Column } from '../plan/column.ts'

/** One step of an epoch: the mean loss of its rows. A step of no rows is a pause. */
export interface LearnerStep {
  readonly loss: number
  readonly rows: number
}

/** Finds the weights of a plan. */
export interface Learner {
  /** Training rows. */
  readonly rows: number
  /** Whether one epoch finds the best weights, so that more change nothing. */
  readonly isExact: boolean
  /** Learns from all rows once; the iterator gives each step after it was taken. */
  epoch(rate: number): Iterable<LearnerStep>
  /** Values of heads for rows, with the weights that `save` would give: one array per head. The generator pauses between slices of rows. */
  values(rows: number, columns: ReadonlyMap<string, Column>): Pausing<readonly Float64Array[]>
  /** A copy of the weights to keep: of gradient descent, their running means. */
  save(): ReadonlyMap<string, Float32Array>
  /** Ends the training with saved weights. */
  restore(saved: ReadonlyMap<string, Float32Array>): void
  dispose(): void
}

/** Copies of arrays of weights. */
export function copyWeights(
  weights: ReadonlyMap<string, { readonly values: Float32Array }>,
): ReadonlyMap<string, Float32Array> {
  return new Map([...weights].map(([key, { values }]) => [key, values.slice()]))
}

/** Writes saved values over those of the weights. */
export function restoreWeights(
  weights: ReadonlyMap<string, { readonly values: Float32Array }>,
  saved: ReadonlyMap<string, Float32Array>,
): void {
  for (const [key, values] of saved) weights.get(key)!.values.set(values)
}
