import type { Column } from '../plan/column.ts'
import type { Output } from './definition.ts'
import { asNumbers, numbersColumn } from './numbers.ts'
import type { LabelledScores } from '../metrics/labelled.ts'

/** The scores, labels and weights of the rows in which score and label are known. */
export function knownScores(
  column: Column | undefined,
  labels: Float32Array,
  weights: Float32Array | null,
): LabelledScores & { readonly weights: Float64Array } {
  const scores = asNumbers(column)
  const known = Array.from(labels.keys()).filter(
    (row) => !Number.isNaN(labels[row]) && !Number.isNaN(scores.values[scores.rows === 1 ? 0 : row]),
  )
  return {
    scores: Float64Array.from(known, (row) => scores.values[scores.rows === 1 ? 0 : row]!),
    labels: Float64Array.from(known, (row) => labels[row]!),
    weights: Float64Array.from(known, (row) => weights?.[row] ?? 1),
  }
}

/** The probabilities of a column of scores by a curve that works on 64-bit floats in place. */
export function calibratedColumn(
  column: Column | undefined,
  output: Output,
  curve: (scores: Float64Array) => void,
): Column {
  const { values, rows } = asNumbers(column)
  const scores = output.doubles(rows)
  scores.set(values)
  curve(scores)
  const to = output.floats(rows)
  to.set(scores)
  return numbersColumn(rows, 1, to)
}
