import * as tf from '@tensorflow/tfjs-core'
import { hashPlan, type RankingSpec } from '../spec/spec.ts'
import { compileTransform } from '../spec/transforms/catalogue.ts'
import type { Scorer } from './scorer.ts'

/**
 * Rows are padded to a multiple of this. Kernels process an incomplete block, or a single row, with other instructions, whose
 * results can differ in the last bits (seen with TensorFlow's sigmoid). With padding, every block is complete.
 */
const blockRows = 64

/**
 * A logistic model per action over transformed features. TensorFlow.js computes a page in one matrix product. Not even the
 * last bit of a candidate's score depends on the other candidates of the page or on their order.
 */
export function createLogisticScorer(spec: RankingSpec): Scorer {
  const width = spec.features.length
  const actions = spec.models.length
  const weights = tf.tensor2d(
    Float32Array.from(
      { length: width * actions },
      (_, at) => spec.models[at % actions]!.weights[Math.floor(at / actions)]!,
    ),
    [width, actions],
  )
  const bias = tf.tensor1d(spec.models.map((model) => model.bias))
  const transforms = spec.features.map(({ transform }) => compileTransform(transform, width))
  return {
    version: spec.version,
    planVersion: hashPlan(spec),
    actions: spec.models.map(({ action }) => action),
    featureNames: spec.features.map(({ name }) => name),
    score(features, candidates, factors) {
      if (features.length !== candidates * width) {
        throw new RangeError(
          `got ${features.length} numbers; ${candidates} rows of ${width} features need ${candidates * width}`,
        )
      }
      if (candidates === 0) return { utilities: new Float32Array(), probabilities: new Float32Array() }
      const padded = Math.ceil(candidates / blockRows) * blockRows
      const rows = new Float32Array(padded * width)
      for (let column = 0; column < width; column++) transforms[column]!(features, rows, column)
      const scored = tf.tidy(() => tf.sigmoid(tf.add(tf.matMul(tf.tensor2d(rows, [padded, width]), weights), bias)))
      // Read the numbers outside of `tidy`, which would search its result for tensors, number by number.
      const byRow = scored.dataSync() as Float32Array
      scored.dispose()
      const worth = spec.models.map(({ action }, at) => spec.worth[at]! * (factors?.get(action) ?? 1))
      const probabilities = new Float32Array(candidates * actions)
      const utilities = new Float32Array(candidates)
      for (let row = 0; row < candidates; row++) {
        let utility = 0
        for (let action = 0; action < actions; action++) {
          const probability = byRow[row * actions + action]!
          probabilities[action * candidates + row] = probability
          utility += worth[action]! * probability
        }
        utilities[row] = utility
      }
      return { utilities, probabilities }
    },
    dispose: () => tf.dispose([weights, bias]),
  }
}
