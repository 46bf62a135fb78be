import * as tf from '@tensorflow/tfjs-core'
import type { Scalar, Tensor2D } from '@tensorflow/tfjs-core'
import type { PlanHead } from '../plan/plan.ts'

/** Labels of a batch for one head: what to predict, and how much each row counts (0: not known). */
export interface HeadLabels {
  readonly values: Tensor2D
  readonly weights: Tensor2D
}

/**
 * Σ over heads of loss weight · Σ rows of weight · loss / Σ rows of weight. A probability: −y·ln p − (1 − y)·ln(1 − p) of the
 * logit; an amount: (value − ln(1 + label))².
 */
export function lossOf(values: Tensor2D, heads: readonly PlanHead[], labels: readonly (HeadLabels | null)[]): Scalar {
  const rows = values.shape[0]
  const losses = heads.flatMap((head, at) => {
    const label = labels[at]
    if (label === null || label === undefined) return []
    const value = tf.slice(values, [0, at], [rows, 1])
    const each =
      head.kind === 'probability' ? crossEntropy(value, label.values) : tf.square(tf.sub(value, label.values))
    const sum = tf.sum(tf.mul(each, label.weights))
    return [tf.mul(tf.div(sum, tf.maximum(tf.sum(label.weights), 1e-9)), head.lossWeight)]
  })
  return (losses.length === 1 ? losses[0]! : tf.addN(losses)) as Scalar
}

/** max(x, 0) − x·y + ln(1 + e^−|x|), which does not overflow. */
function crossEntropy(logit: Tensor2D, label: Tensor2D): Tensor2D {
  const softplus = tf.log1p(tf.exp(tf.neg(tf.abs(logit))))
  return tf.add(tf.sub(tf.relu(logit), tf.mul(logit, label)), softplus)
}
