import type { Plan } from '../plan/plan.ts'

/** A tensor of learned weights. */
export interface Weights {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** What training found for a plan. */
export interface Parameters {
  /** Learned weights by `NODE/NAME`, for example `trunk/kernel0`. */
  readonly weights: ReadonlyMap<string, Weights>
  /** Statistics of fitted nodes by id, plain JSON. Calibrations of heads are under `head:NAME`. */
  readonly fitted: ReadonlyMap<string, unknown>
}

/** A model: a plan with its parameters. */
export interface TrainedModel {
  readonly plan: Plan
  readonly parameters: Parameters
}
