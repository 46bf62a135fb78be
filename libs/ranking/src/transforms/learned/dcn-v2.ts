import * as tf from '@tensorflow/tfjs-core'
import type { Tensor2D } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTransform, WeightShape } from '../definition.ts'
import {
  dense,
  denseOf,
  denseWeights,
  hiddenLayers,
  hiddenParams,
  hiddenWeights,
  numbersSideBySide,
  servedLayers,
  sideBySide,
} from './layers.ts'
import { problemOfNumbers, totalWidth, vectorOf } from './shapes.ts'

const params = z.strictObject({
  ...hiddenParams,
  hidden: hiddenParams.hidden.default([]),
  cross: z.int().positive().max(16).default(3),
  low_rank: z.int().nonnegative().max(8192).default(0),
  parallel: z.boolean().default(true),
})
type Params = z.output<typeof params>

/** Deep and cross network, version 2. */
export const dcnV2: LearnedTransform<Params> = {
  name: 'dcn_v2',
  gradient: 'learned',
  summary:
    'Cross layers, which multiply features with each other, and hidden layers beside them (`parallel: true`) or after them.',
  formula: 'xₗ₊₁ = x₀ ⊙ (W·xₗ + b) + xₗ, W = U·Vᵀ if `low_rank` > 0 (Wang et al. 2021, DCN V2)',
  example: 'layer trunk = dcn_v2(pin.save_rate, pin.embedding, cross: 3, hidden: [128, 64])',
  params,
  typeOf(args, { hidden, parallel }) {
    const width = totalWidth(args)
    return problemOfNumbers(args) ?? vectorOf(hidden.length === 0 ? width : hidden.at(-1) + (parallel ? width : 0))
  },
  weights(args, given) {
    const width = totalWidth(args)
    const cross = Array.from({ length: given.cross }, (_, at) => crossWeights(`cross${at}`, width, given.low_rank))
    return [...cross.flat(), ...hiddenWeights('layer', width, given)]
  },
  apply(args, given, weights, training) {
    const start = sideBySide(args)
    let crossed = start
    for (let layer = 0; layer < given.cross; layer++) {
      const lowered = given.low_rank > 0 ? tf.matMul(crossed, weights.get(`cross${layer}_lower`) as Tensor2D) : crossed
      crossed = tf.add(tf.mul(start, dense(lowered, `cross${layer}`, weights)), crossed)
    }
    if (given.hidden.length === 0) return crossed
    const deep = hiddenLayers(given.parallel ? start : crossed, 'layer', given, weights, training)
    return given.parallel ? sideBySide([crossed, deep]) : deep
  },
  layers(args, given, weights, layers) {
    const start = numbersSideBySide(args, layers)
    if (start === null) return null
    let crossed = start
    for (let layer = 0; layer < given.cross; layer++) {
      const lower = weights.get(`cross${layer}_lower`)?.values
      const lowered =
        lower === undefined
          ? crossed
          : layers.dense(crossed, { kernel: lower, bias: new Float32Array(given.low_rank) }, null)
      crossed = layers.multiplyAdd(start, layers.dense(lowered, denseOf(`cross${layer}`, weights), null), crossed)
    }
    if (given.hidden.length === 0) return crossed
    const deep = servedLayers(given.parallel ? start : crossed, 'layer', given, weights, layers)
    return given.parallel ? layers.concat([crossed, deep]) : deep
  },
}

function crossWeights(name: string, width: number, lowRank: number): WeightShape[] {
  if (lowRank === 0) return denseWeights(name, width, width)
  return [{ name: `${name}_lower`, shape: [width, lowRank], initial: 'glorot' }, ...denseWeights(name, lowRank, width)]
}
