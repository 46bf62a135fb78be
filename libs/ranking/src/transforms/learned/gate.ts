import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTransform } from '../definition.ts'
import { dense, denseWeights, hiddenLayers, hiddenParams, hiddenWeights, sideBySide } from './layers.ts'
import { problemOfNumbers, totalWidth, vectorOf, widthOf } from './shapes.ts'

const params = z.strictObject({ ...hiddenParams, hidden: hiddenParams.hidden.default([]) })

/** Lets the context choose how much of each number of a vector counts. */
export const gate: LearnedTransform<z.output<typeof params>> = {
  name: 'gate',
  gradient: 'learned',
  summary:
    'Weighs each number of the first argument between 0 and 2, by the other arguments (or by itself if there is no other).',
  formula: 'x ⊙ 2·σ(g(context)), g is linear after the hidden layers (feature selection of FinalMLP, Mao et al. 2023)',
  example: 'layer chosen = gate(pin.embedding, user.taste)',
  params,
  typeOf: (args) => problemOfNumbers(args) ?? vectorOf(widthOf(args[0])!),
  weights(args, given) {
    const context = totalWidth(args.length > 1 ? args.slice(1) : args)
    const last = given.hidden.at(-1) ?? context
    return [...hiddenWeights('layer', context, given), ...denseWeights('gate', last, widthOf(args[0])!)]
  },
  apply(args, given, weights, training) {
    const context = sideBySide(args.length > 1 ? args.slice(1) : args)
    const hidden = hiddenLayers(context, 'layer', given, weights, training)
    return tf.mul(args[0]!, tf.mul(tf.sigmoid(dense(hidden, 'gate', weights)), 2))
  },
}
