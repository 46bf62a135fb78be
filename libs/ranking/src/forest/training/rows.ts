import type { FeatureMatrix } from '../forest.ts'

/** Rows to learn from or to validate on. */
export interface ForestRows {
  readonly matrix: FeatureMatrix
  /** 1: it happened, 0: it did not. */
  readonly labels: Float32Array | Float64Array
  /** Absent: every row counts 1. */
  readonly weights?: Float32Array | Float64Array
  /** The group of each row for `lambdarank`; negative: in none. */
  readonly groups?: Int32Array
}
