import { partSharesOf } from '../artefact/value-parts.ts'
import type { InputStatistics } from '../artefact/manifest.ts'
import type { RankingSpec } from '../spec/spec.ts'
import { compileTransform } from '../spec/transforms/catalogue.ts'

/** Rows of the features of a spec with what users did. */
export interface LabelledRows {
  readonly rows: number
  /** rows × features of the spec, row by row, before any scaling. */
  readonly features: Float32Array
  /** Where each pin was shown, 0 = first. */
  readonly position: Float32Array
  /** By action: 0 or 1; NaN: not known. */
  readonly labels: ReadonlyMap<string, Float32Array>
  /** How many rows each row stands for. */
  readonly weights: Float32Array
}

/** Scaled and standardised numbers: a leading 1, the features of the spec, and the position. */
export interface DesignMatrix {
  readonly rows: number
  readonly width: number
  readonly values: Float32Array
}

/** Mean and standard deviation of each column of scaled numbers, the position last; a constant column has the deviation 0. */
export interface Standard {
  readonly means: Float64Array
  readonly deviations: Float64Array
}

/** The numbers of a spec as its models read them: scaled, the position last. */
export function scaleRows({ features }: RankingSpec, { rows, features: given, position }: LabelledRows): Float32Array {
  const count = features.length
  const scaled = new Float32Array(rows * count)
  features.forEach(({ transform }, column) => compileTransform(transform, count)(given, scaled, column))
  const width = count + 1
  const out = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    out.set(scaled.subarray(row * count, (row + 1) * count), row * width)
    out[row * width + count] = Math.log1p(position[row]!)
  }
  return out
}

/** Mean and deviation of each column of `scaleRows`. */
export function standardOf(scaled: Float32Array, width: number): Standard {
  const rows = scaled.length / width
  const means = new Float64Array(width)
  const deviations = new Float64Array(width)
  for (let at = 0; at < scaled.length; at++) means[at % width] = means[at % width]! + scaled[at]! / rows
  for (let at = 0; at < scaled.length; at++) {
    const distance = scaled[at]! - means[at % width]!
    deviations[at % width] = deviations[at % width]! + (distance * distance) / rows
  }
  return { means, deviations: deviations.map((variance) => (variance > 1e-12 ? Math.sqrt(variance) : 0)) }
}

/** The design matrix of scaled rows. A column without any deviation is 0 everywhere. */
export function designMatrix(scaled: Float32Array, { means, deviations }: Standard): DesignMatrix {
  const columns = means.length
  const width = columns + 1
  const rows = scaled.length / columns
  const values = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    values[row * width] = 1
    for (let column = 0; column < columns; column++) {
      const deviation = deviations[column]!
      if (deviation === 0) continue
      values[row * width + column + 1] = (scaled[row * columns + column]! - means[column]!) / deviation
    }
  }
  return { rows, width, values }
}

/** Statistics of each feature of a spec before scaling, by name. */
export function statisticsOf(
  { features }: RankingSpec,
  { rows, features: given, weights }: LabelledRows,
): Record<string, InputStatistics> {
  return Object.fromEntries(
    features.map(({ name }, column) => {
      const values = Float32Array.from({ length: rows }, (_, row) => given[row * features.length + column]!)
      return [name, inputStatisticsOf(values, weights)]
    }),
  )
}

function inputStatisticsOf(all: Float32Array, weights: Float32Array): InputStatistics {
  const values = all.filter((value) => !Number.isNaN(value)).sort()
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count)
  const quantiles =
    count === 0 ? [] : Array.from({ length: 11 }, (_, tenth) => values[Math.round((tenth / 10) * (count - 1))]!)
  const ofMostFrequent = Math.max(0, ...quantiles.map((value) => runLength(values, value)))
  return {
    count,
    mean,
    standardDeviation: Math.sqrt(variance),
    missingShare: all.length === 0 ? 0 : 1 - count / all.length,
    mostFrequentShare: all.length === 0 ? 0 : ofMostFrequent / all.length,
    quantiles,
    partShares: partSharesOf(all, quantiles, weights),
  }
}

/** How often a value occurs in an ascending column. */
function runLength(sorted: Float32Array, value: number): number {
  return sorted.lastIndexOf(value) - sorted.indexOf(value) + 1
}
