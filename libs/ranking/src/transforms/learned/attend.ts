import * as tf from '@tensorflow/tfjs-core'
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTraining, LearnedTransform } from '../definition.ts'
import { dense, denseWeights, sideBySide } from './layers.ts'
import { hintFor, problemOfNumbers, totalWidth, vectorOf, widthOf } from './shapes.ts'

const params = z.strictObject({
  heads: z.int().positive().max(16).default(1),
  size: z.int().positive().max(512).default(16),
  mask_recent: z.int().nonnegative().max(1000).default(0),
})

/** Added to the logit of a place after the end of a sequence. */
const hiddenLogit = -1e9

/** What a sequence of recent actions says about this candidate. */
export const attend: LearnedTransform<z.output<typeof params>> = {
  name: 'attend',
  gradient: 'learned',
  summary:
    'Target attention: the mean of a sequence, weighed by how well each element fits the candidate. `size` numbers in each of `heads` heads; training hides up to `mask_recent` of the newest elements at random, so that the model does not repeat the last action.',
  formula:
    'softmax(q·Kᵀ/√size)·V, q from the candidate, K and V from the sequence (DIN, Zhou et al. 2018; mask: TransAct, Xia et al. 2023)',
  example: 'feature recent = attend(user.recent_vectors, pin.embedding, heads: 2)',
  params,
  typeOf([sequence, ...target], { heads, size }) {
    if (sequence?.kind !== 'sequence' || widthOf(sequence.of) === null) {
      const hint = sequence?.kind === 'sequence' ? '; embedding(…, pool: none) makes one of ids' : ''
      return { problem: `needs a sequence of numbers or vectors${hint}`, arg: 0 }
    }
    if (target.length === 0) return { problem: 'needs the candidate, for example its embedding, after the sequence' }
    const arg = target.findIndex((type) => widthOf(type) === null)
    if (arg >= 0) return { problem: `needs a number or a vector${hintFor(target[arg]!)}`, arg: arg + 1 }
    return problemOfNumbers(target) ?? vectorOf(heads * size)
  },
  weights([sequence, ...target], { heads, size }) {
    const width = sequence?.kind === 'sequence' ? widthOf(sequence.of)! : 0
    return [
      ...denseWeights('query', totalWidth(target), heads * size),
      ...denseWeights('key', width, heads * size),
      ...denseWeights('value', width, heads * size),
    ]
  },
  apply([given, ...target], { heads, size, mask_recent: maskRecent }, weights, training) {
    const sequence = given as Tensor3D
    const [rows, max, columns] = sequence.shape
    const elements = tf.reshape(tf.slice(sequence, [0, 0, 0], [rows, max, columns - 1]), [rows * max, columns - 1])
    const seen = maskNewest(tf.slice(sequence, [0, 0, columns - 1], [rows, max, 1]), maskRecent, training)
    const query = tf.reshape(dense(sideBySide(target), 'query', weights), [rows, 1, heads, size])
    const key = tf.reshape(dense(elements, 'key', weights), [rows, max, heads, size])
    const value = tf.reshape(dense(elements, 'value', weights), [rows, max, heads, size])
    // Products and sums instead of a batch of small matrix products, which kernels compute one by one.
    const fits = tf.mul(tf.sum(tf.mul(query, key), 3), 1 / Math.sqrt(size))
    const logits = tf.add(fits, tf.mul(tf.sub(1, seen), hiddenLogit))
    const exps = tf.mul(tf.exp(tf.sub(logits, tf.max(logits, 1, true))), seen)
    const shares = tf.div(exps, tf.add(tf.sum(exps, 1, true), 1e-9))
    const mixed = tf.sum(tf.mul(tf.reshape(shares, [rows, max, heads, 1]), value), 1)
    return tf.reshape(mixed, [rows, heads * size])
  },
}

/** Hides a random number of the newest elements in each row, 0 to `most`. */
function maskNewest(seen: Tensor3D, most: number, training: LearnedTraining | null): Tensor3D {
  if (training === null || most === 0) return seen
  const [rows, max] = seen.shape
  const mask = new Float32Array(rows * max).fill(1)
  for (let row = 0; row < rows; row++)
    mask.fill(0, row * max, row * max + Math.min(max, Math.floor(training.random() * (most + 1))))
  return tf.mul(seen, tf.tensor3d(mask, [rows, max, 1]))
}
