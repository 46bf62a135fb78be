import type { Weights } from '../model/trained-model.ts'
import { scoreSlices } from '../model/score-table.ts'
import type { Column, RowTable } from '../plan/column.ts'
import type { Plan } from '../plan/plan.ts'
import { registerTrainingKernels } from '../tensor/kernels.ts'
import { loadWeights, predict } from '../tensor/predict.ts'
import type { TensorProgram } from '../tensor/program.ts'
import { createAverages } from './averages.ts'
import { shuffledBatches } from './batches.ts'
import { createDescent } from './descent.ts'
import { prepareLabels } from './labels.ts'
import { copyWeights, restoreWeights, type Learner } from './learner.ts'
import { createMaskPool } from './masks.ts'

/** What a learner needs; `weights` change in place. */
export interface GradientLearnerOptions {
  readonly plan: Plan
  readonly program: TensorProgram
  readonly table: RowTable
  readonly columns: ReadonlyMap<string, Column>
  readonly weights: ReadonlyMap<string, Weights>
  readonly random: () => number
}

/** Learns any plan by gradient descent on TensorFlow.js. The backend must have been chosen. */
export function createGradientLearner({
  plan,
  program,
  table,
  columns,
  weights,
  random,
}: GradientLearnerOptions): Learner {
  registerTrainingKernels()
  const masks = createMaskPool(plan.training.dropout, random)
  const labels = prepareLabels(plan.heads, table)
  const descent = createDescent({ plan, program, columns, labels, weights, masks, random })
  const averages = createAverages(program.weights, weights, Math.ceil(table.rows / plan.training.batchRows))
  return {
    rows: table.rows,
    isExact: false,
    *epoch(rate) {
      for (const picked of shuffledBatches(table.rows, plan.training.batchRows, random)) {
        const loss = descent.step(picked, rate)
        averages.follow()
        yield { loss, rows: picked.length }
      }
    },
    *values(rows, given) {
      const tensors = loadWeights(averages.weights)
      try {
        const predictor = (all: typeof given, picked: Int32Array): Float32Array =>
          predict(program, tensors, all, picked)
        return yield* scoreSlices(program.results.length, predictor, { rows, columns: given })
      } finally {
        for (const tensor of tensors.values()) tensor.dispose()
      }
    },
    save: () => copyWeights(averages.weights),
    restore(saved) {
      restoreWeights(weights, saved)
      restoreWeights(averages.weights, saved)
    },
    dispose: () => masks.dispose(),
  }
}
