import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import { loadWeights, predict } from '../tensor/predict.ts'
import type { TensorProgram } from '../tensor/program.ts'
import { createInference } from './inference.ts'

/** Computes the learned part of a plan with weights that do not change: on our own kernel, or else on TensorFlow.js. */
export interface Predictor {
  /**
   * Values of the program's results for the picked rows, row by row. Not even the last bit of a row depends on the other rows.
   * A column of one row holds for all rows.
   */
  predict(columns: ReadonlyMap<string, Column>, picked: Int32Array): Float32Array
  /** Frees the tensors. */
  dispose(): void
}

/** Whatever serves, explains or evaluates a model computes with this, so that all have the same bits. */
export function createPredictor(program: TensorProgram, weights: ReadonlyMap<string, Weights>): Predictor {
  const inference = createInference(program, weights)
  if (inference !== null) return { ...inference, dispose: () => undefined }
  const tensors = loadWeights(weights)
  return {
    predict: (columns, picked) => predict(program, tensors, columns, picked),
    dispose: () => tensors.forEach((tensor) => tensor.dispose()),
  }
}
