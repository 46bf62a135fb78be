import { chiSquareAbove } from './distributions.ts'

/** Whether arms have the users that their shares promise. */
export interface SampleRatio {
  /** Share of the users by arm, as counted. */
  readonly observed: readonly number[]
  readonly expected: readonly number[]
  /** p-value of the χ² test. */
  readonly p: number
  /** Largest distance between an observed and an expected share. */
  readonly deviation: number
  /** p < .001, and a deviation of at least .1 %: something puts users into the wrong arm, or loses those of one. */
  readonly isMismatch: boolean
}

const lowestP = 0.001
const leastDeviation = 0.001

/** Tests counts of users against the weights of their arms (Fabijan et al. 2019, "Diagnosing sample ratio mismatch"). */
export function sampleRatioOf(counts: readonly number[], weights: readonly number[]): SampleRatio {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const weight = weights.reduce((sum, each) => sum + each, 0)
  const expected = weights.map((each) => each / weight)
  const observed = counts.map((count) => (total === 0 ? 0 : count / total))
  const statistic = counts.reduce(
    (sum, count, at) => sum + (count - total * expected[at]!) ** 2 / (total * expected[at]!),
    0,
  )
  const p = total === 0 ? 1 : chiSquareAbove(statistic, counts.length - 1)
  const deviation = total === 0 ? 0 : Math.max(...observed.map((share, at) => Math.abs(share - expected[at]!)))
  return { observed, expected, p, deviation, isMismatch: p < lowestP && deviation >= leastDeviation }
}
