import type { Pausing } from '../plan/pausing.ts'
import type { Column } from '../plan/column.ts'

/** Standardised numbers of a regression, a leading 1 in each row, with what it takes to convert weights. */
export interface Design {
  readonly rows: number
  /** Numbers of a row, the leading 1 included. */
  readonly width: number
  /** `rows × width`. A column without any deviation is 0 everywhere. */
  readonly values: Float32Array
  /** Of each column after the first. A constant column has the deviation 0. */
  readonly means: Float64Array
  readonly deviations: Float64Array
}

/** Weights of numbers that are not standardised. */
export interface LinearWeights {
  readonly bias: number
  readonly kernel: ArrayLike<number>
}

/** A variance below this is rounding. */
const leastVariance = 1e-12

/**
 * The numbers of some columns side by side, standardised. Missing numbers count 0, as the transform `linear` takes them. The
 * generator pauses after each column.
 */
export function* designOf(columns: readonly Column[], rows: number): Pausing<Design> {
  const width = 1 + columns.reduce((sum, column) => sum + widthOf(column), 0)
  const values = new Float32Array(rows * width)
  const means = new Float64Array(width - 1)
  const deviations = new Float64Array(width - 1)
  for (let row = 0; row < rows; row++) values[row * width] = 1
  let place = 0
  for (const column of columns)
    for (let part = 0; part < widthOf(column); part++) {
      const number = numbersOf(column, part)
      const { mean, deviation } = momentsOf(number, rows)
      means[place] = mean
      deviations[place] = deviation
      place++
      if (deviation > 0)
        for (let row = 0; row < rows; row++) values[row * width + place] = (number(row) - mean) / deviation
      yield
    }
  return { rows, width, values, means, deviations }
}

/** Weights of the numbers themselves as weights of standardised ones, the bias first. */
export function standardised({ bias, kernel }: LinearWeights, { means, deviations }: Design): Float64Array {
  const out = new Float64Array(means.length + 1)
  out[0] = bias
  for (const [column, mean] of means.entries()) {
    const weight = kernel[column]!
    out[column + 1] = weight * deviations[column]!
    out[0] += weight * mean
  }
  return out
}

/** The inverse of `standardised`. The rows say nothing about a column without deviation: it keeps the weight that is believed. */
export function original(
  found: Float64Array,
  { means, deviations }: Design,
  believed: Pick<LinearWeights, 'kernel'>,
): LinearWeights {
  const kernel = Float64Array.from(means, (_, column) =>
    deviations[column] === 0 ? believed.kernel[column]! : found[column + 1]! / deviations[column]!,
  )
  const bias = kernel.reduce((rest, weight, column) => rest - weight * means[column]!, found[0]!)
  return { bias, kernel }
}

function widthOf(column: Column): number {
  if (column.kind !== 'numbers') throw new TypeError(`a regression cannot read ${column.kind}`)
  return column.width
}

/** Reads one number of the rows of a column; a missing one is 0. */
function numbersOf(column: Column, part: number): (row: number) => number {
  if (column.kind !== 'numbers') throw new TypeError(`a regression cannot read ${column.kind}`)
  const { rows, width, values } = column
  return (row) => {
    const value = values[(rows === 1 ? 0 : row) * width + part]!
    return Number.isFinite(value) ? value : 0
  }
}

function momentsOf(number: (row: number) => number, rows: number): { mean: number; deviation: number } {
  let mean = 0
  for (let row = 0; row < rows; row++) mean += number(row) / rows
  let variance = 0
  for (let row = 0; row < rows; row++) variance += (number(row) - mean) ** 2 / rows
  return { mean, deviation: variance > leastVariance ? Math.sqrt(variance) : 0 }
}
