import { createPredictor } from '../inference/predictor.ts'
import type { RowTable } from '../plan/column.ts'
import { createProgram } from '../plan/program.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { calibrationName, predictHead } from './head-prediction.ts'
import { scoreTable } from './score-table.ts'
import type { TrainedModel } from './trained-model.ts'

/**
 * Predictions of a model for all rows of a table: one array per head, probabilities or amounts. Every row goes to the model,
 * also where the plan has a first phase. A training-only input that the table leaves out has its serving value.
 */
export function predictTable(
  { plan, parameters }: TrainedModel,
  { rows, inputs }: Pick<RowTable, 'rows' | 'inputs'>,
): readonly Float64Array[] {
  const program = compileTensorProgram(plan)
  const results = [...program.reads.keys()]
  const columns = createProgram(plan, parameters.fitted, transformCatalogue, { results }).run(inputs, rows)
  const predictor = createPredictor(program, parameters.weights)
  try {
    const values = scoreTable(plan.heads.length, predictor.predict, { rows, columns })
    return plan.heads.map((head, at) =>
      predictHead(head, parameters.fitted.get(calibrationName(head.name)), values[at]!),
    )
  } finally {
    predictor.dispose()
  }
}
