import { checkLabelled, rowsByScore, type LabelledScores } from './labelled.ts'

/** Rows of neighbouring predictions: what was predicted and what happened. */
export interface CalibrationGroup {
  readonly rows: number
  readonly weight: number
  /** Mean prediction by weight. */
  readonly predicted: number
  /** Mean label by weight. */
  readonly observed: number
}

export interface CalibrationReport {
  /** Σ w·p / Σ w·y: 1 is calibrated on the whole, above 1 predicts too much. Null if no label is above 0. */
  readonly ratio: number | null
  /** From the lowest predictions to the highest. */
  readonly groups: readonly CalibrationGroup[]
}

/**
 * Compares predicted probabilities with labels, in all and in `count` groups of about equal weight (10: deciles). Equal
 * predictions stay in one group, so the table does not depend on the order of the rows, and may have fewer groups.
 */
export function calibrationReport(sample: LabelledScores, count = 10): CalibrationReport {
  checkLabelled(sample)
  const { scores, labels, weights } = sample
  const order = rowsByScore(scores)
  const weightOf = (row: number): number => (weights === undefined ? 1 : weights[row]!)
  const total = order.reduce((sum, row) => sum + weightOf(row), 0)
  const groups: CalibrationGroup[] = []
  const all = { rows: 0, weight: 0, predicted: 0, observed: 0 }
  let open = { ...all }
  order.forEach((row, at) => {
    const weight = weightOf(row)
    for (const sums of [open, all]) {
      sums.rows++
      sums.weight += weight
      sums.predicted += weight * scores[row]!
      sums.observed += weight * labels[row]!
    }
    const next = order[at + 1]
    const ends = next === undefined || scores[next] !== scores[row]
    const isFull = all.weight >= ((groups.length + 1) * total) / count - 1e-9 * total
    if (!ends || open.weight === 0 || (next !== undefined && !isFull)) return
    groups.push({ ...open, predicted: open.predicted / open.weight, observed: open.observed / open.weight })
    open = { rows: 0, weight: 0, predicted: 0, observed: 0 }
  })
  return { ratio: all.observed > 0 ? all.predicted / all.observed : null, groups }
}
