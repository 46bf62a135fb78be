import type { RowTable } from '../plan/column.ts'
import type { PlanHead } from '../plan/plan.ts'

/** How well a head predicts labelled rows. */
export interface HeadFigures {
  /** Rows whose label is known. */
  readonly rows: number
  /** Probability that a positive row is above a negative one; NaN for amounts and if there is one class only. */
  readonly auc: number
  /** Mean log loss (natural, probabilities clipped at 1e-7); of an amount the mean squared error of ln(1 + amount). */
  readonly loss: number
  /** Σ predicted / Σ label. */
  readonly calibration: number
  /** Rows by ascending prediction, cut into ten equal parts: mean prediction and mean label of each. */
  readonly deciles: readonly { readonly rows: number; readonly predicted: number; readonly label: number }[]
}

const clip = 1e-7

/** Figures of predictions (probabilities, or amounts in their unit) against the labels of the rows. */
export function figuresOf(
  { kind, label }: PlanHead,
  predictions: Float64Array,
  { labels, weights }: RowTable,
): HeadFigures {
  const column = labels.get(label)
  const rows: Row[] = []
  for (let row = 0; row < predictions.length; row++) {
    const actual = column?.[row] ?? NaN
    if (!Number.isNaN(actual)) rows.push({ predicted: predictions[row]!, label: actual, weight: weights?.[row] ?? 1 })
  }
  rows.sort((a, b) => a.predicted - b.predicted)
  const weight = total(rows, (row) => row.weight)
  return {
    rows: rows.length,
    auc: kind === 'probability' ? areaUnderCurve(rows) : NaN,
    loss: total(rows, (row) => row.weight * lossOf(kind, row)) / weight,
    calibration: total(rows, (row) => row.weight * row.predicted) / total(rows, (row) => row.weight * row.label),
    deciles: decilesOf(rows),
  }
}

interface Row {
  readonly predicted: number
  readonly label: number
  readonly weight: number
}

function lossOf(kind: PlanHead['kind'], { predicted, label }: Row): number {
  if (kind === 'amount') return (Math.log1p(Math.max(0, predicted)) - Math.log1p(label)) ** 2
  const probability = Math.min(1 - clip, Math.max(clip, predicted))
  return -label * Math.log(probability) - (1 - label) * Math.log(1 - probability)
}

/** The Mann–Whitney statistic of weighted rows, sorted by prediction; equal predictions count one half. */
function areaUnderCurve(rows: readonly Row[]): number {
  let below = 0
  let wins = 0
  let positives = 0
  for (let from = 0, to = 0; from < rows.length; from = to) {
    let [negative, positive] = [0, 0]
    for (; to < rows.length && rows[to]!.predicted === rows[from]!.predicted; to++) {
      const { label, weight } = rows[to]!
      if (label > 0) positive += weight
      else negative += weight
    }
    wins += positive * (below + negative / 2)
    below += negative
    positives += positive
  }
  return positives * below === 0 ? NaN : wins / (positives * below)
}

function decilesOf(rows: readonly Row[]): HeadFigures['deciles'] {
  return Array.from({ length: 10 }, (_, part) => {
    const some = rows.slice(Math.floor((part * rows.length) / 10), Math.floor(((part + 1) * rows.length) / 10))
    const weight = total(some, (row) => row.weight)
    const mean = (read: (row: Row) => number): number => total(some, (row) => row.weight * read(row)) / weight
    return { rows: some.length, predicted: mean(({ predicted }) => predicted), label: mean(({ label }) => label) }
  }).filter(({ rows: count }) => count > 0)
}

function total(rows: readonly Row[], read: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + read(row), 0)
}
