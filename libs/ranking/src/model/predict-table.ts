import { createPredictor } from '../inference/predictor.ts'
import type { RowTable } from '../plan/column.ts'
import { finished, type Pausing } from '../plan/pausing.ts'
import { createProgram } from '../plan/program.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { calibrationName, predictHead } from './head-prediction.ts'
import { scoreSlices } from './score-table.ts'
import type { TrainedModel } from './trained-model.ts'

/** Rows whose labels do not matter. */
type InputTable = Pick<RowTable, 'rows' | 'inputs'>

/**
 * Predictions of a model for all rows of a table: one array per head, probabilities or amounts. Every row goes to the model,
 * also where the plan has a first phase. A training-only input that the table leaves out has its serving value.
 */
export function predictTable(model: TrainedModel, table: InputTable): readonly Float64Array[] {
  return finished(predictTablePausing(model, table))
}

/** As `predictTable`; the generator pauses between slices of work, so that other work gets its turn. */
export function* predictTablePausing(
  { plan, parameters }: TrainedModel,
  { inputs, rows }: InputTable,
): Pausing<readonly Float64Array[]> {
  const program = compileTensorProgram(plan)
  const results = [...program.reads.keys()]
  const computed = createProgram(plan, parameters.fitted, transformCatalogue, { results })
  const columns = yield* computed.runPausing(inputs, rows)
  const predictor = createPredictor(program, parameters.weights)
  try {
    const values = yield* scoreSlices(plan.heads.length, predictor.predict, { rows, columns })
    return plan.heads.map((head, at) =>
      predictHead(head, parameters.fitted.get(calibrationName(head.name)), values[at]!),
    )
  } finally {
    predictor.dispose()
  }
}
