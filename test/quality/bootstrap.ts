import { mulberry32 } from '@freshet/domain/mulberry32'

/** A mean with the interval that holds it with 95 %. */
export interface MeanInterval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

const resamples = 2_000

/** Mean of paired differences, and its 95 % interval by the percentiles of bootstrapped means (Efron 1979). The same values give the same interval. */
export function bootstrapMean(differences: Float64Array): MeanInterval {
  const count = differences.length
  if (count === 0) throw new RangeError('there are no differences')
  const random = mulberry32(1)
  const means = new Float64Array(resamples)
  for (let sample = 0; sample < resamples; sample++) {
    let sum = 0
    for (let draw = 0; draw < count; draw++) sum += differences[Math.floor(random() * count)]!
    means[sample] = sum / count
  }
  means.sort()
  return {
    mean: differences.reduce((sum, value) => sum + value, 0) / count,
    low: means[Math.floor(0.025 * resamples)]!,
    high: means[Math.ceil(0.975 * resamples) - 1]!,
  }
}
