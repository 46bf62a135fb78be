import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Numbers in a pool: enough that two steps rarely use the same ones. */
const poolSize = 1 << 21

/** Masks for dropout. */
export interface MaskPool {
  /** rows × width: 0 with probability `dropout`, else 1 / (1 − dropout). */
  mask(rows: number, width: number): Tensor
  dispose(): void
}

/**
 * Draws one pool of random numbers and cuts each mask out of it at a random place, because `tf.dropout` draws each number in
 * JavaScript, which takes longer than the layer.
 */
export function createMaskPool(dropout: number, random: () => number): MaskPool {
  let pool: Tensor | null = null
  const kept = 1 / (1 - dropout)
  function poolFor(needed: number): Tensor {
    if (pool !== null && pool.size >= needed) return pool
    pool?.dispose()
    const values = new Float32Array(Math.max(poolSize, 2 * needed)).map(() => (random() < dropout ? 0 : kept))
    pool = tf.keep(tf.tensor1d(values))
    return pool
  }
  return {
    mask(rows, width) {
      const from = poolFor(rows * width)
      const start = Math.floor(random() * (from.size - rows * width + 1))
      return tf.reshape(tf.slice(from, start, rows * width), [rows, width])
    },
    dispose: () => pool?.dispose(),
  }
}
