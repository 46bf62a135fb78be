import { checkLabelled, type LabelledScores } from '../metrics/labelled.ts'

/** p = 1 / (1 + e^−(slope·s + intercept)) of a raw score s. */
export interface PlattCalibration {
  readonly slope: number
  readonly intercept: number
}

const iterations = 100
/** Added to the diagonal of the Hessian, so that it can be inverted when all scores are equal. */
const ridge = 1e-12

/**
 * Fits a logistic curve to raw scores by weight (Platt 1999), with Newton's method and step halving (Lin, Lin & Weng
 * 2007). Labels are smoothed to (W₊ + 1) / (W₊ + 2) and 1 / (W₋ + 2), where W are the weights of the classes: so a
 * perfect separation, or one class only, has a finite fit. Throws `LabelledScoresError`.
 */
export function fitPlatt(sample: LabelledScores): PlattCalibration {
  checkLabelled(sample)
  const rows = smoothed(sample)
  let fit: PlattCalibration = { slope: 0, intercept: Math.log((rows.positives + 1) / (rows.negatives + 1)) }
  let loss = lossOf(rows, fit)
  for (let iteration = 0; iteration < iterations; iteration++) {
    const direction = newtonStep(rows, fit)
    let step = 1
    let next = moved(fit, direction, step)
    let nextLoss = lossOf(rows, next)
    while (nextLoss > loss && step > 1e-10) {
      step /= 2
      next = moved(fit, direction, step)
      nextLoss = lossOf(rows, next)
    }
    if (!(nextLoss < loss)) break
    ;[fit, loss] = [next, nextLoss]
  }
  return fit
}

/** Writes the probability of every raw score to `out`, which may be `scores`. */
export function plattProbabilities(
  { slope, intercept }: PlattCalibration,
  scores: Float64Array,
  out: Float64Array,
): void {
  for (let row = 0; row < scores.length; row++) out[row] = 1 / (1 + Math.exp(-(slope * scores[row]! + intercept)))
}

interface SmoothedRows {
  readonly scores: Float32Array | Float64Array
  readonly targets: Float64Array
  readonly weights: Float64Array
  readonly positives: number
  readonly negatives: number
}

function smoothed({ scores, labels, weights }: LabelledScores): SmoothedRows {
  const w = Float64Array.from(scores, (_, row) => (weights === undefined ? 1 : weights[row]!))
  let [positives, negatives] = [0, 0]
  for (let row = 0; row < w.length; row++) {
    positives += w[row]! * labels[row]!
    negatives += w[row]! * (1 - labels[row]!)
  }
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (negatives + 2)]
  const targets = Float64Array.from(scores, (_, row) => low + (high - low) * labels[row]!)
  return { scores, targets, weights: w, positives, negatives }
}

/** Log loss as Σ w·(ln(1 + e^z) − t·z), without overflow. */
function lossOf({ scores, targets, weights }: SmoothedRows, { slope, intercept }: PlattCalibration): number {
  let loss = 0
  for (let row = 0; row < scores.length; row++) {
    const z = slope * scores[row]! + intercept
    loss += weights[row]! * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - targets[row]! * z)
  }
  return loss
}

function newtonStep(
  { scores, targets, weights }: SmoothedRows,
  { slope, intercept }: PlattCalibration,
): PlattCalibration {
  let [gSlope, gIntercept, hSlope, hMixed, hIntercept] = [0, 0, ridge, 0, ridge]
  for (let row = 0; row < scores.length; row++) {
    const s = scores[row]!
    const p = 1 / (1 + Math.exp(-(slope * s + intercept)))
    const gradient = weights[row]! * (p - targets[row]!)
    const curvature = weights[row]! * p * (1 - p)
    gSlope += gradient * s
    gIntercept += gradient
    hSlope += curvature * s * s
    hMixed += curvature * s
    hIntercept += curvature
  }
  const determinant = hSlope * hIntercept - hMixed * hMixed
  return {
    slope: -(hIntercept * gSlope - hMixed * gIntercept) / determinant,
    intercept: -(hSlope * gIntercept - hMixed * gSlope) / determinant,
  }
}

function moved(fit: PlattCalibration, direction: PlattCalibration, step: number): PlattCalibration {
  return { slope: fit.slope + step * direction.slope, intercept: fit.intercept + step * direction.intercept }
}
