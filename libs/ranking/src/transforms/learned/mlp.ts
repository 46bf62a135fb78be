import { z } from 'zod'
import type { LearnedTransform } from '../definition.ts'
import { hiddenLayers, hiddenParams, hiddenWeights, numbersSideBySide, servedLayers, sideBySide } from './layers.ts'
import { problemOfNumbers, totalWidth, vectorOf } from './shapes.ts'

const params = z.strictObject(hiddenParams).refine(({ hidden }) => hidden.length > 0, {
  path: ['hidden'],
  message: 'give at least one layer, for example [128, 64]',
})

/** Hidden layers one after the other. */
export const mlp: LearnedTransform<z.output<typeof params>> = {
  name: 'mlp',
  gradient: 'learned',
  summary:
    'Hidden layers one after the other, with dropout while training and batch normalisation if `normalise: true`.',
  formula: 'hₗ = f(W·hₗ₋₁ + b), h₀ = all arguments side by side; f is relu, tanh or elu',
  example: 'layer trunk = mlp(pin.save_rate, pin.embedding, hidden: [128, 64])',
  params,
  typeOf: (args, { hidden }) => problemOfNumbers(args) ?? vectorOf(hidden.at(-1)),
  weights: (args, given) => hiddenWeights('layer', totalWidth(args), given),
  apply: (args, given, weights, training) => hiddenLayers(sideBySide(args), 'layer', given, weights, training),
  layers(args, given, weights, layers) {
    const x = numbersSideBySide(args, layers)
    return x === null ? null : servedLayers(x, 'layer', given, weights, layers)
  },
}
