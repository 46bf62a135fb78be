import { z } from 'zod'

const share = z.number().min(0).max(1)

/** How the values of one input were distributed in training. Serving is compared with it. */
export const inputStatistics = z.strictObject({
  /** Number of values that were not missing. */
  count: z.int().min(0),
  mean: z.number(),
  standardDeviation: z.number().min(0),
  /** Share of rows without a value. */
  missingShare: share,
  /** Share of rows with the most frequent value among the quantiles, for example a default of 0. */
  mostFrequentShare: share,
  /** Values at 0, 10, 20 … 100 %, ascending. Empty: no value was present. */
  quantiles: z.array(z.number()),
  /** Share of the values (not missing) up to the first distinct quantile, between each two, and above the last. Empty: not known. */
  partShares: z.array(share).default([]),
})

/** How well one head predicts rows that training did not see. */
export const headMetrics = z.strictObject({
  /** Number of held-out rows with a label. */
  rows: z.int().min(0),
  /** Mean, natural logarithm. Of an amount the mean of (ln(1 + predicted) − ln(1 + amount))². */
  logLoss: z.number(),
  /** The same rows, scored by the model that served; null: nothing comparable served. */
  servingLogLoss: z.number().nullable(),
  /** null: the rows have one class only. */
  auc: z.number().nullable(),
  /** Σ predicted / Σ label; null: no label is positive. */
  calibration: z.number().nullable(),
  /** The rows by ascending prediction in about ten parts of equal weight: means of predictions and labels. Empty: of an amount, or not known. */
  deciles: z
    .array(z.strictObject({ rows: z.int().min(0), weight: z.number(), predicted: z.number(), observed: z.number() }))
    .readonly()
    .default([]),
})

const time = z.int().min(0)

/** What is known about a model beside its plan and its weights. Times are in milliseconds since the epoch. */
export const manifestSchema = z.strictObject({
  /** The name of the model, unique on its surface. */
  version: z.string().min(1).max(128),
  surface: z.string().min(1).max(64),
  /** The spec as its author wrote it. */
  specText: z.string(),
  /** Hash of the plan, 16 hexadecimal digits. */
  planHash: z.string().regex(/^[0-9a-f]{16}$/),
  /** The rows that it learned from were served in this time. */
  dataFromMs: time,
  dataToMs: time,
  trainingRows: z.int().min(0),
  heldOutRows: z.int().min(0),
  /** By name of head. */
  metrics: z.record(z.string(), headMetrics),
  /** Mean prediction on the held-out rows by name of head, also of heads for amounts. Absent: none were held out. */
  meanPredictions: z.record(z.string(), z.number()).optional(),
  /** By name of input; of a vector by NAME.0, NAME.1, …. */
  inputs: z.record(z.string(), inputStatistics),
  /** The model from whose weights training started; null: none. */
  parentVersion: z.string().nullable(),
  createdAtMs: time,
  trainerVersion: z.string(),
})

export type InputStatistics = z.output<typeof inputStatistics>
export type HeadMetrics = z.output<typeof headMetrics>
export type ModelManifest = z.output<typeof manifestSchema>
