import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTransform } from '../definition.ts'
import { sideBySide } from './layers.ts'
import { problemOfNumbers, totalWidth } from './shapes.ts'

const params = z.strictObject({ size: z.int().positive().max(1024) })

/** The factorisation machine's second-order part. It has no weights of its own; those of its embeddings learn. */
export const fm: LearnedTransform<z.output<typeof params>> = {
  name: 'fm',
  gradient: 'learned',
  summary: 'The sum of the dot products of all pairs of vectors; `size` is the size of one vector.',
  formula: 'Σᵢ<ⱼ vᵢ·vⱼ = ½ Σ_d ((Σᵢ v_id)² − Σᵢ v_id²) (Rendle 2010)',
  example: 'layer pairs = fm(embedding(hash(user.id, rows: 4096), hash(pin.id, rows: 4096), size: 8), size: 8)',
  params,
  typeOf(args, { size }) {
    const width = totalWidth(args)
    if (width % size !== 0) return { problem: `has ${width} numbers, which vectors of size ${size} do not divide` }
    return problemOfNumbers(args) ?? { kind: 'scalar' }
  },
  weights: () => [],
  apply(args, { size }) {
    const all = sideBySide(args)
    const [rows, width] = all.shape
    const vectors = tf.reshape(all, [rows, width / size, size])
    const both = tf.sub(tf.square(tf.sum(vectors, 1)), tf.sum(tf.square(vectors), 1))
    return tf.mul(tf.sum(both, 1, true), 0.5)
  },
}
