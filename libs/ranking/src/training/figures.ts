import { areaUnderCurve } from '../metrics/auc.ts'
import { calibrationReport, type CalibrationGroup } from '../metrics/calibration-table.ts'
import type { LabelledScores } from '../metrics/labelled.ts'
import { logLoss } from '../metrics/log-loss.ts'
import type { RowTable } from '../plan/column.ts'
import type { PlanHead } from '../plan/plan.ts'

/** How well a head predicts labelled rows. */
export interface HeadFigures {
  /** Rows whose label is known. */
  readonly rows: number
  /** Probability that a positive row is above a negative one; null for amounts and if there is one class only. */
  readonly auc: number | null
  /** Mean log loss (natural, probabilities clipped at 1e-7); of an amount the mean squared error of ln(1 + amount). */
  readonly loss: number
  /** Σ predicted / Σ label; null: no label is above 0. */
  readonly calibration: number | null
  /** Mean prediction, by weight: a probability or an amount. */
  readonly meanPrediction: number
  /** Rows by ascending prediction in about ten parts of equal weight; empty for amounts. */
  readonly deciles: readonly CalibrationGroup[]
}

/** Figures of a model by name of head. */
export type ModelFigures = ReadonlyMap<string, HeadFigures>

/** Figures of predictions (probabilities, or amounts in their unit) against the labels of the rows. */
export function figuresOf(head: PlanHead, predictions: Float64Array, table: RowTable): HeadFigures {
  const sample = labelledRows(head, predictions, table)
  const rows = sample.scores.length
  if (rows === 0) return { rows, auc: null, loss: NaN, calibration: null, meanPrediction: NaN, deciles: [] }
  const meanPrediction = weightedMean(sample.scores, sample.weights)
  if (head.kind === 'amount') return { rows, auc: null, ...amountFigures(sample), meanPrediction, deciles: [] }
  const { ratio, groups } = calibrationReport(sample)
  return {
    rows,
    auc: areaUnderCurve(sample),
    loss: logLoss(sample),
    calibration: ratio,
    meanPrediction,
    deciles: groups,
  }
}

/** Mean of numbers by weight; NaN if there are none. */
export function weightedMean(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  let [sum, total] = [0, 0]
  for (let row = 0; row < values.length; row++) {
    sum += weights[row]! * values[row]!
    total += weights[row]!
  }
  return sum / total
}

/** The rows whose label is known, with weight. */
export function labelledRows(
  { label }: PlanHead,
  scores: Float64Array,
  { labels, weights }: RowTable,
): Required<LabelledScores> {
  const column = labels.get(label) ?? new Float32Array(scores.length).fill(NaN)
  const known = [...column.keys()].filter((row) => !Number.isNaN(column[row]))
  return {
    scores: Float64Array.from(known, (row) => scores[row]!),
    labels: Float64Array.from(known, (row) => column[row]!),
    weights: Float64Array.from(known, (row) => (weights === null ? 1 : weights[row]!)),
  }
}

function amountFigures({
  scores,
  labels,
  weights,
}: Required<LabelledScores>): Pick<HeadFigures, 'loss' | 'calibration'> {
  let [loss, total, predicted, actual] = [0, 0, 0, 0]
  for (let row = 0; row < scores.length; row++) {
    const weight = weights[row]!
    loss += weight * (Math.log1p(Math.max(0, scores[row]!)) - Math.log1p(labels[row]!)) ** 2
    total += weight
    predicted += weight * scores[row]!
    actual += weight * labels[row]!
  }
  return { loss: loss / total, calibration: actual > 0 ? predicted / actual : null }
}
