import * as tf from '@tensorflow/tfjs-core'
import { planVersionOf, type RankingSpec } from '../spec/spec.ts'
import { compileTransform } from '../transforms/catalogue.ts'
import type { Scorer } from './scorer.ts'

/**
 * Rows are padded to a multiple of this many. Kernels take what is left of a block, a vector register or a single row by
 * other instructions than the rest, with other last bits (seen with TensorFlow's sigmoid); with whole blocks none is left.
 */
const blockRows = 64

/**
 * A logistic model per action over transformed features, computed by TensorFlow.js in one matrix product for the page.
 * A candidate's score depends neither on the others of the page nor on its place among them, to the last bit.
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
    planVersion: planVersionOf(spec),
    actions: spec.models.map(({ action }) => action),
    featureNames: spec.features.map(({ name }) => name),
    score(features, candidates) {
      if (features.length !== candidates * width) {
        throw new RangeError(`${features.length} numbers are not ${candidates} rows of ${width} features`)
      }
      if (candidates === 0) return { utilities: new Float32Array(), probabilities: new Float32Array() }
      const padded = Math.ceil(candidates / blockRows) * blockRows
      const rows = new Float32Array(padded * width)
      for (let column = 0; column < width; column++) transforms[column]!(features, rows, column)
      const scored = tf.tidy(() => tf.sigmoid(tf.add(tf.matMul(tf.tensor2d(rows, [padded, width]), weights), bias)))
      // Read out here: what a tidy gives is searched for tensors, and numbers would be searched one by one.
      const byRow = scored.dataSync() as Float32Array
      scored.dispose()
      const probabilities = new Float32Array(candidates * actions)
      const utilities = new Float32Array(candidates)
      for (let row = 0; row < candidates; row++) {
        let utility = 0
        for (let action = 0; action < actions; action++) {
          const probability = byRow[row * actions + action]!
          probabilities[action * candidates + row] = probability
          utility += spec.worth[action]! * probability
        }
        utilities[row] = utility
      }
      return { utilities, probabilities }
    },
    dispose: () => tf.dispose([weights, bias]),
  }
}
