import type { Weights } from '../model/trained-model.ts'
import type { Column, RowTable } from '../plan/column.ts'
import type { Plan, PlanHead } from '../plan/plan.ts'
import { shuffledBatches } from './batches.ts'
import { copyWeights, restoreWeights, type Learner } from './learner.ts'
import type { LinearPart } from './linear-parts.ts'
import { linearRow, linearValues } from './linear-row.ts'

/** AdaGrad's first steps are about the rate itself, while Adam's rate is for batches; so this is its multiple. */
const rateFactor = 50

/** Keeps the first steps of AdaGrad small. */
const firstSquare = 0.1

/** Rows of a step that the caller sees. */
const stepRows = 4096

/** What the sparse linear learner needs; `weights` change in place. */
export interface SparseLinearLearnerOptions {
  readonly plan: Plan
  readonly parts: readonly LinearPart[]
  readonly table: RowTable
  readonly columns: ReadonlyMap<string, Column>
  readonly weights: ReadonlyMap<string, Weights>
  readonly random: () => number
}

/**
 * Learns logistic and linear regressions over ids, whose tables have too many weights for Newton's method (see
 * `newton-learner.ts`), on typed arrays, row by row: w −= rate · g / √(Σ g²) for each weight (AdaGrad, Duchi
 * et al. 2011). A row costs as much as it has numbers, whatever the size of the tables. `l2` acts on the weights of ids that
 * a row has.
 */
export function createSparseLinearLearner(options: SparseLinearLearnerOptions): Learner {
  const { plan, parts, table, columns, weights, random } = options
  const squares = new Map(
    [...weights].map(([key, { values }]) => [key, new Float32Array(values.length).fill(firstSquare)]),
  )
  const heads = plan.heads.map((head, at) => ({
    head,
    row: linearRow(parts[at]!, columns, weights, squares),
    labels: table.labels.get(head.label)!,
  }))

  /** Learns one row; returns its loss. */
  function learn(row: number, rate: number): number {
    const weight = table.weights?.[row] ?? 1
    let loss = 0
    for (const { head, row: linear, labels } of heads) {
      const label = labels[row]!
      if (Number.isNaN(label) || head.lossWeight === 0) continue
      const { gradient, loss: own } = lossOf(head, linear.value(row), label)
      const scale = weight * head.lossWeight
      linear.update(row, scale * gradient, { rate: rateFactor * rate, l2: plan.training.l2 })
      loss += scale * own
    }
    return loss
  }

  return {
    rows: table.rows,
    isExact: false,
    *epoch(rate) {
      for (const picked of shuffledBatches(table.rows, stepRows, random)) {
        let loss = 0
        for (const row of picked) loss += learn(row, rate)
        yield { loss: loss / picked.length, rows: picked.length }
      }
    },
    values: (rows, columns) => linearValues(parts, { rows, columns }, weights),
    save: () => copyWeights(weights),
    restore: (saved) => restoreWeights(weights, saved),
    dispose: () => undefined,
  }
}

/** The loss of a value, and its derivative with respect to the value. */
function lossOf({ kind }: PlanHead, value: number, label: number): { gradient: number; loss: number } {
  if (kind === 'amount') {
    const error = value - Math.log1p(Math.max(0, label))
    return { gradient: 2 * error, loss: error * error }
  }
  const loss = Math.max(value, 0) - value * label + Math.log1p(Math.exp(-Math.abs(value)))
  return { gradient: 1 / (1 + Math.exp(-value)) - label, loss }
}
