/**
 * What can become of a model. A `candidate` is stored and does nothing. A `shadow` scores a share of the requests without being
 * shown. A `canary` answers a share of the users. One model is `serving`. A `retired` model can serve again, a `rejected` one
 * cannot.
 */
export const modelStages = ['candidate', 'shadow', 'canary', 'serving', 'retired', 'rejected'] as const

export type ModelStage = (typeof modelStages)[number]

/** How well a head of a model predicted the rows that its training did not see. */
export interface HeadResult {
  readonly head: string
  /** Mean log loss, natural logarithm. */
  readonly logLoss: number
  /** That of the model that served, on the same rows; null: nothing comparable served. */
  readonly servingLogLoss: number | null
}

/** A model and the stage that it has reached: one record of the registry. */
export interface ModelRecord {
  readonly surface: string
  /** Unique on its surface. */
  readonly version: string
  readonly stage: ModelStage
  /** Share of the requests of a shadow, or of the users of a canary, in [0, 1]; otherwise 0. */
  readonly share: number
  /** Why it has this stage, for people. */
  readonly reason: string
  /** When it reached the stage, milliseconds since the epoch. */
  readonly atMs: number
  /** SHA-256 of its artefact, hexadecimal; '': it was never stored. */
  readonly sha256: string
  readonly planHash: string
  /** The model from whose weights training started; null: none. */
  readonly parentVersion: string | null
  /** When it was trained, milliseconds since the epoch. */
  readonly trainedAtMs: number
  /** Number of rows that it learned from. */
  readonly trainingRows: number
  readonly results: readonly HeadResult[]
}
