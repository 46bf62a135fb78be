import * as tf from '@tensorflow/tfjs-core'
import type { RowTable } from '../plan/column.ts'
import type { PlanHead } from '../plan/plan.ts'
import type { HeadLabels } from './loss.ts'

/** Labels of all training rows. */
export interface TrainingLabels {
  /** Labels of the picked rows by head; null: the head has no loss, or none of these rows has its label. */
  pick(rows: Int32Array): readonly (HeadLabels | null)[]
}

/** What a head learns to predict: the label of a probability, ln(1 + label) of an amount. Unknown labels count 0. */
export function prepareLabels(heads: readonly PlanHead[], { labels, weights }: RowTable): TrainingLabels {
  const columns = heads.map(({ label, lossWeight }) => (lossWeight > 0 ? labels.get(label)! : null))
  return {
    pick: (rows) =>
      columns.map((column, at) => {
        if (column === null) return null
        const isAmount = heads[at]!.kind === 'amount'
        const values = new Float32Array(rows.length)
        const counts = new Float32Array(rows.length)
        for (let row = 0; row < rows.length; row++) {
          const label = column[rows[row]!]!
          if (Number.isNaN(label)) continue
          values[row] = isAmount ? Math.log1p(Math.max(0, label)) : label
          counts[row] = weights === null ? 1 : weights[rows[row]!]!
        }
        return { values: tf.tensor2d(values, [rows.length, 1]), weights: tf.tensor2d(counts, [rows.length, 1]) }
      }),
  }
}
