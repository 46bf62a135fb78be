import { areaUnderCurve } from '../metrics/auc.ts'
import { logLoss } from '../metrics/log-loss.ts'
import type { HeadComparison } from '../registry/gate.ts'
import type { LabelledRows } from './table.ts'

/** Probabilities of all rows by action. */
export type Predictions = ReadonlyMap<string, Float64Array>

/** What a model is measured on and compared with. */
export interface Measurement {
  readonly rows: LabelledRows
  readonly predicted: Predictions
  /** Of the model that serves; null: nothing comparable serves. */
  readonly serving: Predictions | null
  /** The mean label in the training rows, by action. */
  readonly means: ReadonlyMap<string, number>
}

/** How well a model predicts the labels of rows, by action. Actions that no row has a label of are left out. */
export function measureHeads({ rows, predicted, serving, means }: Measurement): ReadonlyMap<string, HeadComparison> {
  const found = new Map<string, HeadComparison>()
  for (const [action, all] of predicted) {
    const column = rows.labels.get(action)
    const known = column === undefined ? [] : [...column.keys()].filter((row) => !Number.isNaN(column[row]))
    if (column === undefined || known.length === 0) continue
    const pick = (from: ArrayLike<number>): Float64Array => Float64Array.from(known, (row) => from[row]!)
    const sample = { labels: pick(column), weights: pick(rows.weights) }
    const scores = pick(all)
    const served = serving?.get(action)
    const constant = new Float64Array(known.length).fill(means.get(action) ?? 0.5)
    const bar = served === undefined ? constant : pick(served)
    const labelSum = weightedSum(sample.labels, sample.weights)
    found.set(action, {
      rows: known.length,
      logLoss: logLoss({ ...sample, scores }),
      servingLogLoss: served === undefined ? null : logLoss({ ...sample, scores: bar }),
      meanLogLoss: logLoss({ ...sample, scores: constant }),
      differenceError: differenceError(scores, bar, sample),
      auc: areaUnderCurve({ ...sample, scores }),
      calibration: labelSum === 0 ? null : weightedSum(scores, sample.weights) / labelSum,
    })
  }
  return found
}

/** The mean label of each action, moved a little towards one half, so that it is never 0 or 1. */
export function meansOf({ labels, weights }: LabelledRows): ReadonlyMap<string, number> {
  return new Map(
    [...labels].map(([action, column]) => {
      let [acted, all] = [0.5, 1]
      for (const [row, label] of column.entries()) {
        if (Number.isNaN(label)) continue
        acted += weights[row]! * label
        all += weights[row]!
      }
      return [action, acted / all]
    }),
  )
}

interface Labelled {
  readonly labels: Float64Array
  readonly weights: Float64Array
}

/** Standard error of the mean of the rows' differences in log loss: √(Σ w²·(d − d̄)²) / Σ w. */
function differenceError(a: Float64Array, b: Float64Array, { labels, weights }: Labelled): number {
  const differences = labels.map((label, row) => rowLoss(a[row]!, label) - rowLoss(b[row]!, label))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = weightedSum(differences, weights) / total
  const squares = differences.reduce((sum, difference, row) => sum + (weights[row]! * (difference - mean)) ** 2, 0)
  return Math.sqrt(squares) / total
}

function rowLoss(probability: number, label: number): number {
  const p = Math.min(1 - 1e-7, Math.max(1e-7, probability))
  return -(label * Math.log(p) + (1 - label) * Math.log(1 - p))
}

function weightedSum(values: Float64Array, weights: Float64Array): number {
  return values.reduce((sum, value, row) => sum + value * weights[row]!, 0)
}
