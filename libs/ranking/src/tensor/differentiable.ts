import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'

type Formula = (args: readonly Tensor[], params: Readonly<Record<string, unknown>>) => Tensor

const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise)

/**
 * Fixed transforms in tensors, for use after a learned one: gradient descent goes through them. Rows × width in and out.
 * Formulas are those of the transforms of the same names.
 */
const formulas: Readonly<Record<string, Formula>> = {
  add: ([a, b]) => tf.add(a!, b!),
  subtract: ([a, b]) => tf.sub(a!, b!),
  multiply: ([a, b]) => tf.mul(a!, b!),
  divide: ([a, b]) => tf.div(a!, b!),
  negate: ([x]) => tf.neg(x!),
  identity: ([x]) => x!,
  exp: ([x]) => tf.exp(x!),
  abs: ([x]) => tf.abs(x!),
  sigmoid: ([x]) => tf.sigmoid(x!),
  log1p: ([x]) => tf.log1p(tf.maximum(x!, 0)),
  min: (args) => args.reduce((a, b) => tf.minimum(a, b)),
  max: (args) => args.reduce((a, b) => tf.maximum(a, b)),
  clip: ([x], { low, high }) => tf.clipByValue(x!, numberOf(low, -Infinity), numberOf(high, Infinity)),
  concat: (args) => (args.length === 1 ? args[0]! : tf.concat([...args] as Tensor2D[], 1)),
  dot: ([a, b]) => tf.sum(tf.mul(a!, b!), 1, true),
  cosine: ([a, b]) => tf.sum(tf.mul(unit(a!), unit(b!)), 1, true),
  norm: ([x]) => tf.sqrt(tf.add(tf.sum(tf.square(x!), 1, true), 1e-12)),
  pool: ([x], { by }) => poolSequence(x as Tensor3D, by),
}

/** The tensor form of a fixed transform; undefined: it cannot be used after a learned transform. */
export function differentiable(transform: string): Formula | undefined {
  return Object.hasOwn(formulas, transform) ? formulas[transform] : undefined
}

/** Names of the fixed transforms that can be used after a learned transform. */
export const differentiableNames: readonly string[] = Object.keys(formulas)

/** The vector divided by its length; zeros stay zeros. */
function unit(x: Tensor): Tensor {
  return tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-12)))
}

/** Mean, sum, largest or newest of the elements of a sequence; zeros for an empty one. */
function poolSequence(sequence: Tensor3D, by: unknown): Tensor {
  const [rows, max, columns] = sequence.shape
  const elements = tf.slice(sequence, [0, 0, 0], [rows, max, columns - 1])
  const seen = tf.slice(sequence, [0, 0, columns - 1], [rows, max, 1])
  const present = tf.mul(elements, seen)
  if (by === 'last') return tf.reshape(tf.slice(present, [0, 0, 0], [rows, 1, columns - 1]), [rows, columns - 1])
  if (by === 'max') {
    const some = tf.max(seen, 1)
    return tf.mul(tf.max(tf.add(present, tf.mul(tf.sub(seen, 1), 1e30)), 1), some)
  }
  const sum = tf.sum(present, 1)
  return by === 'sum' ? sum : tf.div(sum, tf.maximum(tf.sum(seen, 1), 1))
}
