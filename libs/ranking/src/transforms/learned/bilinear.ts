import * as tf from '@tensorflow/tfjs-core'
import type { Tensor2D } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTransform } from '../definition.ts'
import { problemOfNumbers, vectorOf, widthOf } from './shapes.ts'

const params = z.strictObject({
  units: z.int().positive().max(1024).default(1),
  heads: z.int().positive().max(64).default(1),
})

/** How two vectors go together, each number of the one with each of the other. */
export const bilinear: LearnedTransform<z.output<typeof params>> = {
  name: 'bilinear',
  gradient: 'learned',
  summary:
    'Multiplies each number of one vector with each of another; `heads` cuts both vectors into parts of their own.',
  formula: 'Σ over heads of aₕᵀ·Wₕ·bₕ (the fusion of FinalMLP, Mao et al. 2023)',
  example: 'layer both = bilinear(mlp(pin.embedding, hidden: [32]), mlp(user.taste, hidden: [32]))',
  params,
  typeOf(args, { units, heads }) {
    if (args.length !== 2) return { problem: 'needs two vectors' }
    const arg = args.findIndex((type) => (widthOf(type) ?? 0) % heads !== 0)
    if (arg >= 0) return { problem: `needs a vector whose size ${heads} heads divide`, arg }
    return problemOfNumbers(args) ?? vectorOf(units)
  },
  weights([a, b], { units, heads }) {
    const [left, right] = [widthOf(a)! / heads, widthOf(b)! / heads]
    return Array.from({ length: heads }, (_, head) => ({
      name: `head${head}`,
      shape: [left, units * right],
      initial: 'glorot',
    }))
  },
  apply([a, b], { units, heads }, weights) {
    const rows = a!.shape[0]
    const [left, right] = [a!.shape[1]! / heads, b!.shape[1]! / heads]
    const parts = Array.from({ length: heads }, (_, head) => {
      const from = tf.slice(a as Tensor2D, [0, head * left], [rows, left])
      const to = tf.reshape(tf.slice(b as Tensor2D, [0, head * right], [rows, right]), [rows, 1, right])
      const mapped = tf.reshape(tf.matMul(from, weights.get(`head${head}`) as Tensor2D), [rows, units, right])
      return tf.sum(tf.mul(mapped, to), 2)
    })
    return parts.length === 1 ? parts[0]! : tf.addN(parts)
  },
}
