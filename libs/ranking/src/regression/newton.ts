import type { Pausing } from '../plan/pausing.ts'
import { solveSymmetric } from './solve.ts'

/** Rows of one head: `rows × width` numbers, row by row, none missing. */
export interface RegressionRows {
  /** A probability has a logit and log loss; an amount has a value and half the squared error. */
  readonly kind: 'probability' | 'amount'
  readonly rows: number
  readonly width: number
  readonly values: Float32Array
  /** 0 or 1 of a probability, any number of an amount; NaN: not known, the row does not count. */
  readonly labels: Float32Array
  /** How many rows each row stands for. */
  readonly weights: Float32Array
  /** Added to the weighted sum of each row, with a fixed weight of 1; null: nothing is. */
  readonly offsets: Float32Array | null
}

/**
 * What is believed before any row: weight j is normal around `mean[j]` with variance 1 / `precision[j]`. A precision of 0 leaves
 * the weight to the rows.
 */
export interface WeightPrior {
  readonly mean: Float64Array
  readonly precision: Float64Array
}

/** Options of a fit. */
export interface NewtonOptions {
  /** Weights to begin with; default: the prior's means. */
  readonly start?: Float64Array
  readonly maxSteps: number
}

/** Rows between two pauses of a fit. */
const sliceRows = 512
/** A fit ends when no weight changes by more than this. */
const tolerance = 1e-6
/** Keeps the step finite where a prior leaves a weight to rows that say nothing about it. */
const ridge = 1e-9

/** What a fit found. */
export interface Fit {
  readonly weights: Float64Array
  /** Negative logarithm of the posterior at the weights, up to a constant. */
  readonly loss: number
}

/**
 * The weights with the highest posterior probability of a logistic regression, P(label) = 1 / (1 + e^−Σ w·x), or of a linear one
 * for an amount, by Newton's method (iteratively reweighted least squares). With few rows they are near the prior's means, and
 * move away as evidence grows. The generator pauses between slices of rows, so that other work gets its turn.
 */
export function* fitRegression(
  rows: RegressionRows,
  prior: WeightPrior,
  { start = prior.mean, maxSteps }: NewtonOptions,
): Pausing<Fit> {
  const { width } = rows
  let weights: Float64Array = start.slice()
  let before = yield* slopesAt(rows, prior, weights)
  for (let step = 0; step < maxSteps; step++) {
    const change = solveSymmetric(before.curvature, before.gradient, width)
    let factor = 1
    let next = moved(weights, change, factor)
    let after = yield* slopesAt(rows, prior, next)
    // Newton's step may overshoot; half of it goes down.
    while (!(after.loss <= before.loss + 1e-9 * Math.abs(before.loss)) && factor > 1e-3) {
      factor /= 2
      next = moved(weights, change, factor)
      after = yield* slopesAt(rows, prior, next)
    }
    if (!(after.loss <= before.loss + 1e-9 * Math.abs(before.loss))) break
    weights = next
    before = after
    if (change.every((delta) => Math.abs(delta) * factor <= tolerance)) break
  }
  return { weights, loss: before.loss }
}

interface Slopes {
  /** Negative logarithm of the posterior, up to a constant. */
  readonly loss: number
  readonly gradient: Float64Array
  /** Second derivatives, `width × width`. */
  readonly curvature: Float64Array
}

function* slopesAt(
  { kind, rows, width, values, labels, weights: rowWeights, offsets }: RegressionRows,
  { mean, precision }: WeightPrior,
  weights: Float64Array,
): Pausing<Slopes> {
  const gradient = new Float64Array(width)
  const curvature = new Float64Array(width * width)
  // The columns of a row that are not zero: most features of a row are classes that it does not have.
  const columns = new Int32Array(width)
  const xs = new Float64Array(width)
  let loss = 0
  for (let j = 0; j < width; j++) {
    const distance = weights[j]! - mean[j]!
    loss += 0.5 * precision[j]! * distance * distance
    gradient[j] = precision[j]! * distance
    curvature[j * width + j] = precision[j]! + ridge
  }
  for (let row = 0, offset = 0; row < rows; row++, offset += width) {
    if (row % sliceRows === sliceRows - 1) yield
    const label = labels[row]!
    if (Number.isNaN(label)) continue
    let value = offsets === null ? 0 : offsets[row]!
    let used = 0
    for (let j = 0; j < width; j++) {
      const x = values[offset + j]!
      if (x === 0) continue
      columns[used] = j
      xs[used++] = x
      value += x * weights[j]!
    }
    // A missing offset: nothing is known about the row.
    if (Number.isNaN(offsets?.[row] ?? 0)) continue
    const probability = 1 / (1 + Math.exp(-value))
    const weight = rowWeights[row]!
    const isAmount = kind === 'amount'
    loss += weight * (isAmount ? 0.5 * (value - label) ** 2 : logLossOf(value, label))
    const slope = weight * (isAmount ? value - label : probability - label)
    const bend = isAmount ? weight : weight * probability * (1 - probability)
    for (let a = 0; a < used; a++) {
      const j = columns[a]!
      gradient[j] = gradient[j]! + slope * xs[a]!
      const bent = bend * xs[a]!
      const from = j * width
      // The lower half; the other one is its mirror.
      for (let b = 0; b <= a; b++) {
        const to = from + columns[b]!
        curvature[to] = curvature[to]! + bent * xs[b]!
      }
    }
  }
  return { loss, gradient, curvature }
}

/** −y·ln p − (1 − y)·ln(1 − p) of a logit. */
function logLossOf(logit: number, label: number): number {
  return Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)))
}

function moved(weights: Float64Array, change: Float64Array, factor: number): Float64Array {
  return weights.map((weight, j) => weight - factor * change[j]!)
}
