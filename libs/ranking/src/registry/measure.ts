import { areaUnderCurve } from '../metrics/auc.ts'
import { calibrationReport } from '../metrics/calibration-table.ts'
import { logLoss } from '../metrics/log-loss.ts'
import type { RowTable } from '../plan/column.ts'
import type { Pausing } from '../plan/pausing.ts'
import type { PlanHead } from '../plan/plan.ts'
import type { HeadComparison } from './gate.ts'

/** What a model is measured on and compared with. */
export interface Measurement {
  readonly heads: readonly PlanHead[]
  readonly table: RowTable
  /** Predictions of all rows (probabilities, or amounts in their unit), one array per head. */
  readonly predicted: readonly Float64Array[]
  /** Those of the model that serves; null: nothing comparable serves. */
  readonly serving: readonly Float64Array[] | null
  /** The mean label in the training rows by name of head, as `meansOf` gives it. */
  readonly means: ReadonlyMap<string, number>
}

/**
 * How well a model predicts the labels of rows, by head. Heads that no row has a label of are left out. The generator pauses after
 * each head.
 */
export function* measureHeads(given: Measurement): Pausing<ReadonlyMap<string, HeadComparison>> {
  const found = new Map<string, HeadComparison>()
  for (const [at, head] of given.heads.entries()) {
    const comparison = measureHead(head, at, given)
    if (comparison !== null) found.set(head.name, comparison)
    yield
  }
  return found
}

function measureHead(
  head: PlanHead,
  at: number,
  { table, predicted, serving, means }: Measurement,
): HeadComparison | null {
  const { name, kind } = head
  const column = table.labels.get(head.label)
  const known = column === undefined ? [] : [...column.keys()].filter((row) => !Number.isNaN(column[row]))
  if (column === undefined || known.length === 0) return null
  const pick = (from: ArrayLike<number>): Float64Array => Float64Array.from(known, (row) => from[row]!)
  const weights = Float64Array.from(known, (row) => table.weights?.[row] ?? 1)
  const sample = { labels: pick(column), weights }
  const scores = pick(predicted[at]!)
  const served = serving?.[at]
  const mean = means.get(name)
  if (mean === undefined) throw new RangeError(`there is no mean of the head ${name}`)
  const constant = new Float64Array(known.length).fill(mean)
  const bar = served === undefined ? constant : pick(served)
  const lossOf = (of: Float64Array): number =>
    kind === 'probability' ? logLoss({ ...sample, scores: of }) : meanOf(rowLosses(kind, of, sample.labels), weights)
  const labelSum = weightedSum(sample.labels, weights)
  return {
    rows: known.length,
    logLoss: lossOf(scores),
    servingLogLoss: served === undefined ? null : lossOf(bar),
    meanLogLoss: lossOf(constant),
    meanPrediction: meanOf(scores, weights),
    differenceError: differenceError(
      rowLosses(kind, scores, sample.labels),
      rowLosses(kind, bar, sample.labels),
      weights,
    ),
    auc: kind === 'probability' ? areaUnderCurve({ ...sample, scores }) : null,
    calibration: labelSum === 0 ? null : weightedSum(scores, weights) / labelSum,
    deciles: kind === 'probability' ? calibrationReport({ ...sample, scores }).groups : [],
  }
}

/**
 * The mean label of each head, moved a little towards one half, so that a probability is never 0 or 1. Of an amount the mean of
 * ln(1 + amount), as an amount. One half (an amount: 0) if no row has the label.
 */
export function meansOf(heads: readonly PlanHead[], { labels, weights }: RowTable): ReadonlyMap<string, number> {
  return new Map(
    heads.map(({ name, label, kind }) => {
      let [sum, all] = kind === 'probability' ? [0.5, 1] : [0, 1e-9]
      for (const [row, value] of (labels.get(label) ?? []).entries()) {
        if (Number.isNaN(value)) continue
        const weight = weights?.[row] ?? 1
        sum += weight * (kind === 'probability' ? value : Math.log1p(value))
        all += weight
      }
      return [name, kind === 'probability' ? sum / all : Math.expm1(sum / all)]
    }),
  )
}

/** Log losses of rows; of an amount (ln(1 + predicted) − ln(1 + amount))². */
function rowLosses(kind: PlanHead['kind'], predicted: Float64Array, labels: Float64Array): Float64Array {
  if (kind === 'amount')
    return predicted.map((amount, row) => (Math.log1p(Math.max(0, amount)) - Math.log1p(labels[row]!)) ** 2)
  return predicted.map((probability, row) => {
    const p = Math.min(1 - 1e-7, Math.max(1e-7, probability))
    const label = labels[row]!
    return -(label * Math.log(p) + (1 - label) * Math.log(1 - p))
  })
}

/** Standard error of the mean of the rows' differences in loss: √(Σ w²·(d − d̄)²) / Σ w. */
function differenceError(a: Float64Array, b: Float64Array, weights: Float64Array): number {
  const differences = a.map((loss, row) => loss - b[row]!)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = meanOf(differences, weights)
  const squares = differences.reduce((sum, difference, row) => sum + (weights[row]! * (difference - mean)) ** 2, 0)
  return Math.sqrt(squares) / total
}

function meanOf(values: Float64Array, weights: Float64Array): number {
  return weightedSum(values, weights) / weights.reduce((sum, weight) => sum + weight, 0)
}

function weightedSum(values: Float64Array, weights: Float64Array): number {
  return values.reduce((sum, value, row) => sum + value * weights[row]!, 0)
}
