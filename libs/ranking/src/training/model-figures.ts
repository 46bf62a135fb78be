import { predictTable } from '../model/predict-table.ts'
import type { TrainedModel } from '../model/trained-model.ts'
import type { RowTable } from '../plan/column.ts'
import { figuresOf, type ModelFigures } from './figures.ts'

/** Figures of a model on labelled rows that it has not seen. The rows give the training-only inputs as they were. */
export function figuresOfModel(model: TrainedModel, table: RowTable): ModelFigures {
  const predictions = predictTable(model, table)
  return new Map(model.plan.heads.map((head, at) => [head.name, figuresOf(head, predictions[at]!, table)]))
}
