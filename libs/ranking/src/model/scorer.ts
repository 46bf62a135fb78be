/** Scores of a page, in the order of its candidates. */
export interface Scores {
  /** What each candidate is worth: one number each. */
  readonly utilities: Float32Array
  /** Probabilities in [0, 1]: one column of all candidates per action of the model. */
  readonly probabilities: Float32Array
}

/** A model that scores candidates from their features. Whoever made it calls `dispose` once. */
export interface Scorer {
  /** The name of the model, as its author gave it. */
  readonly version: string
  /** Names the exact content: a hash of the plan that the model was built from, so that two models of one name differ. */
  readonly planVersion: string
  readonly actions: readonly string[]
  readonly featureNames: readonly string[]
  /**
   * `features` holds one row of all features per candidate, as read, before any transform. Throws a RangeError where its
   * length is another.
   */
  score(features: Float32Array, candidates: number): Scores
  /** Frees the tensors. */
  dispose(): void
}
