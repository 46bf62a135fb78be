import type { HeadFactors } from './utility.ts'

/** Scores of a page, in the order of its candidates. */
export interface Scores {
  /** One utility per candidate. */
  readonly utilities: Float32Array
  /** Probabilities in [0, 1]: for each action of the model, a column with all candidates. */
  readonly probabilities: Float32Array
}

/** A model that scores candidates from their features. Its creator must call `dispose` once. */
export interface Scorer {
  /** The name that the author gave the model. */
  readonly version: string
  /** A hash of the plan from which the model was built. It distinguishes two models with the same name. */
  readonly planVersion: string
  readonly actions: readonly string[]
  readonly featureNames: readonly string[]
  /**
   * `features` contains one row of all features per candidate, before any transform; `factors` are on heads in the utility.
   * Throws a RangeError if the length of `features` does not match.
   */
  score(features: Float32Array, candidates: number, factors?: HeadFactors): Scores
  /** Frees the tensors. */
  dispose(): void
}
