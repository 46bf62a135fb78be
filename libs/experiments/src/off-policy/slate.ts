/** A logged slate as the estimators read it. All columns are by position, best first. */
export interface Slate {
  readonly userId: string
  /** What the user did with the pin at each position. */
  readonly rewards: Float64Array
  /** Probability of each pin at its position given those above it, by the logged policy: the cascade. */
  readonly steps: Float64Array
  /** The same by the target policy. */
  readonly targetSteps: Float64Array
  /** Probability of each pin at its position, whatever is above it, by both policies; null: not known. */
  readonly places: { readonly logged: Float64Array; readonly target: Float64Array } | null
  /**
   * A model of the rewards: what it predicts for each pin, and the mean of its predictions over what the target policy would
   * draw at the position, given the pins above; null: there is none.
   */
  readonly model: { readonly predicted: Float64Array; readonly expected: Float64Array } | null
}
