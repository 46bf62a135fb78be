import type { RowTable } from '../plan/column.ts'
import { loadWeights } from '../tensor/predict.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { figuresOf, type ModelFigures } from './figures.ts'
import { createProgram } from '../plan/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { calibrationName, predictHead } from '../model/head-prediction.ts'
import { scoreTable } from '../model/score-table.ts'
import type { TrainedModel } from '../model/trained-model.ts'

/** Figures of a model on labelled rows that it has not seen. The rows give the training-only inputs as they were. */
export function figuresOfModel({ plan, parameters }: TrainedModel, table: RowTable): ModelFigures {
  const program = compileTensorProgram(plan)
  const columns = createProgram(plan, parameters.fitted, transformCatalogue, {
    results: [...program.reads.keys()],
  }).run(table.inputs, table.rows)
  const weights = loadWeights(parameters.weights)
  const values = scoreTable(program, weights, { rows: table.rows, columns })
  for (const tensor of weights.values()) tensor.dispose()
  return new Map(
    plan.heads.map((head, at) => {
      const predictions = predictHead(head, parameters.fitted.get(calibrationName(head.name)), values[at]!)
      return [head.name, figuresOf(head, predictions, table)]
    }),
  )
}
