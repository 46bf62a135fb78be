import { checkLabelled, rowsByScore, type LabelledScores } from '../metrics/labelled.ts'

/** A rising step curve with slopes between its steps: at scores[i] the probability is probabilities[i]; both rise. */
export interface IsotonicCalibration {
  readonly scores: Float64Array
  readonly probabilities: Float64Array
}

/**
 * The non-decreasing curve with the least weighted squared error, by pool adjacent violators (Ayer et al. 1955; Barlow
 * et al. 1972). Rows of equal scores become one point first. Keeps both ends of each pool, as scikit-learn's
 * `IsotonicRegression` does. Throws `LabelledScoresError`.
 */
export function fitIsotonic(sample: LabelledScores): IsotonicCalibration {
  checkLabelled(sample)
  const { first, last, mean, pools } = pool(sample)
  const scores: number[] = []
  const probabilities: number[] = []
  for (let at = 0; at < pools; at++) {
    for (const score of first[at] === last[at] ? [first[at]!] : [first[at]!, last[at]!]) {
      scores.push(score)
      probabilities.push(mean[at]!)
    }
  }
  return { scores: Float64Array.from(scores), probabilities: Float64Array.from(probabilities) }
}

/** Merges each point into the pools before it as long as they are not below it. */
function pool({ scores, labels, weights }: LabelledScores) {
  const order = rowsByScore(scores)
  const [first, last] = [new Float64Array(order.length), new Float64Array(order.length)]
  const [mean, total] = [new Float64Array(order.length), new Float64Array(order.length)]
  let pools = 0
  for (let at = 0; at < order.length;) {
    const score = scores[order[at]!]!
    let [weight, sum] = [0, 0]
    for (; at < order.length && scores[order[at]!] === score; at++) {
      const rowWeight = weights === undefined ? 1 : weights[order[at]!]!
      weight += rowWeight
      sum += rowWeight * labels[order[at]!]!
    }
    if (weight === 0) continue
    let value = sum / weight
    let start = score
    while (pools > 0 && mean[pools - 1]! >= value) {
      pools--
      value = (value * weight + mean[pools]! * total[pools]!) / (weight + total[pools]!)
      weight += total[pools]!
      start = first[pools]!
    }
    first[pools] = start
    last[pools] = score
    mean[pools] = value
    total[pools] = weight
    pools++
  }
  return { first, last, mean, pools }
}

/**
 * Writes the probability of every score to `out`, which may be `scores`: linear between the points of the curve, and
 * the value of the nearest end outside them. NaN stays NaN.
 */
export function isotonicProbabilities(curve: IsotonicCalibration, scores: Float64Array, out: Float64Array): void {
  for (let row = 0; row < scores.length; row++) out[row] = probabilityAt(curve, scores[row]!)
}

function probabilityAt({ scores, probabilities }: IsotonicCalibration, score: number): number {
  const end = scores.length - 1
  if (Number.isNaN(score)) return NaN
  if (score <= scores[0]!) return probabilities[0]!
  if (score >= scores[end]!) return probabilities[end]!
  let [low, high] = [0, end]
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (scores[middle]! <= score) low = middle
    else high = middle
  }
  const share = (score - scores[low]!) / (scores[high]! - scores[low]!)
  return probabilities[low]! + share * (probabilities[high]! - probabilities[low]!)
}
