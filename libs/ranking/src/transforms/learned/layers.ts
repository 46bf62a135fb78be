import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { DenseWeights, IndexMatrix, InferenceLayers, Matrix } from '../../inference/layers.ts'
import type { Weights } from '../../model/trained-model.ts'
import type { LearnedTraining, WeightShape } from '../definition.ts'

/** Activations of hidden layers. */
const activations = ['relu', 'tanh', 'elu'] as const

/** Parameters that layers with hidden units share. */
export const hiddenParams = {
  hidden: z.array(z.int().positive().max(8192)).max(16),
  activation: z.enum(activations).default('relu'),
  normalise: z.boolean().default(false),
}

/** Units and activation of hidden layers; `normalise`: batch normalisation before the activation. */
export interface Hidden {
  readonly hidden: readonly number[]
  readonly activation: (typeof activations)[number]
  readonly normalise: boolean
}

/** Weights by name. */
type WeightTensors = ReadonlyMap<string, Tensor>

/** Says in which weight a layer's name is missing. */
function read(weights: WeightTensors, name: string): Tensor2D {
  const weight = weights.get(name)
  if (weight === undefined) throw new RangeError(`the weight ${name} is missing`)
  return weight as Tensor2D
}

/** Columns of all arguments side by side. */
export function sideBySide(args: readonly Tensor[]): Tensor2D {
  return (args.length === 1 ? args[0]! : tf.concat([...args] as Tensor2D[], 1)) as Tensor2D
}

/** Weights of `x·W + b`. */
export function denseWeights(name: string, inputs: number, units: number): WeightShape[] {
  return [
    { name: `${name}_kernel`, shape: [inputs, units], initial: 'glorot' },
    { name: `${name}_bias`, shape: [units], initial: 'zeros' },
  ]
}

/** x·W + b, then the activation if there is one. */
export function dense(x: Tensor, name: string, weights: WeightTensors, activation?: Hidden['activation']): Tensor2D {
  const kernel = read(weights, `${name}_kernel`)
  const bias = read(weights, `${name}_bias`)
  if (activation === 'relu' || activation === 'elu' || activation === undefined)
    return product(x, kernel, bias, activation ?? 'linear')
  return tf.tanh(product(x, kernel, bias, 'linear'))
}

function product(x: Tensor, kernel: Tensor2D, bias: Tensor, activation: 'linear' | 'relu' | 'elu'): Tensor2D {
  return tf.fused.matMul({ a: x, b: kernel, bias, activation }) as Tensor2D
}

/** Weights of hidden layers one after the other: `NAME0_kernel`, `NAME0_bias`, and of the normalisation. */
export function hiddenWeights(name: string, inputs: number, { hidden, normalise }: Hidden): WeightShape[] {
  return hidden.flatMap((units, at) => [
    ...denseWeights(`${name}${at}`, at === 0 ? inputs : hidden[at - 1]!, units),
    ...(normalise ? normalWeights(`${name}${at}`, units) : []),
  ])
}

/** Hidden layers one after the other, each with normalisation, activation and dropout. */
export function hiddenLayers(
  x: Tensor,
  name: string,
  { hidden, activation, normalise }: Hidden,
  weights: WeightTensors,
  training: LearnedTraining | null,
): Tensor2D {
  let at = x as Tensor2D
  for (let layer = 0; layer < hidden.length; layer++) {
    const of = `${name}${layer}`
    if (normalise) {
      at = activate(batchNormal(dense(at, of, weights), of, weights, training), activation)
    } else at = dense(at, of, weights, activation)
    if (training !== null && training.dropout > 0) at = tf.mul(at, training.mask(at.shape[0], at.shape[1]))
  }
  return at
}

function activate(x: Tensor2D, activation: Hidden['activation']): Tensor2D {
  return activation === 'relu' ? tf.relu(x) : activation === 'elu' ? tf.elu(x) : tf.tanh(x)
}

function normalWeights(name: string, units: number): WeightShape[] {
  return [
    { name: `${name}_scale`, shape: [units], initial: 'ones' },
    { name: `${name}_shift`, shape: [units], initial: 'zeros' },
    { name: `${name}_mean`, shape: [units], initial: 'zeros', isObserved: true },
    { name: `${name}_variance`, shape: [units], initial: 'ones', isObserved: true },
  ]
}

/** Keeps the divisor of the normalisation above zero. */
const epsilon = 1e-5

/**
 * (x − mean) / √(variance + ε) · scale + shift, of the batch while training, of the running means when serving (Ioffe &
 * Szegedy 2015).
 */
function batchNormal(x: Tensor2D, name: string, weights: WeightTensors, training: LearnedTraining | null): Tensor2D {
  const scale = read(weights, `${name}_scale`)
  const shift = read(weights, `${name}_shift`)
  if (training === null) {
    const factor = tf.mul(scale, tf.rsqrt(tf.add(read(weights, `${name}_variance`), epsilon)))
    return tf.add(tf.mul(x, factor), tf.sub(shift, tf.mul(read(weights, `${name}_mean`), factor)))
  }
  const mean = tf.mean(x, 0)
  const centred = tf.sub(x, mean)
  const variance = tf.mean(tf.square(centred), 0)
  training.observe(`${name}_mean`, mean)
  training.observe(`${name}_variance`, variance)
  return tf.add(tf.mul(centred, tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)))), shift)
}

/** The weights of `x·W + b` in their serving form. */
export function denseOf(name: string, weights: ReadonlyMap<string, Weights>): DenseWeights {
  return { kernel: weights.get(`${name}_kernel`)!.values, bias: weights.get(`${name}_bias`)!.values }
}

/** `hiddenLayers` in their serving form; the normalisation is part of the weights. */
export function servedLayers(
  x: Matrix,
  name: string,
  { hidden, activation, normalise }: Hidden,
  weights: ReadonlyMap<string, Weights>,
  layers: InferenceLayers,
): Matrix {
  let at = x
  for (const layer of hidden.keys()) {
    const of = `${name}${layer}`
    const dense = denseOf(of, weights)
    at = layers.dense(at, normalise ? normalised(dense, of, weights) : dense, activation)
  }
  return at
}

/** (x·W + b − mean) · f + shift with f = scale / √(variance + ε), as one product. */
function normalised({ kernel, bias }: DenseWeights, name: string, weights: ReadonlyMap<string, Weights>): DenseWeights {
  const [scale, shift, mean, variance] = ['scale', 'shift', 'mean', 'variance'].map(
    (part) => weights.get(`${name}_${part}`)!.values,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array]
  const factor = scale.map((value, unit) => value / Math.sqrt(variance[unit]! + epsilon))
  return {
    kernel: kernel.map((weight, at) => weight * factor[at % factor.length]!),
    bias: bias.map((value, unit) => (value - mean[unit]!) * factor[unit]! + shift[unit]!),
  }
}

/** All arguments as numbers side by side; null: one is an index. */
export function numbersSideBySide(args: readonly (Matrix | IndexMatrix)[], layers: InferenceLayers): Matrix | null {
  const numbers = args.filter((arg) => arg.kind === 'matrix')
  return numbers.length === args.length ? layers.concat(numbers) : null
}
