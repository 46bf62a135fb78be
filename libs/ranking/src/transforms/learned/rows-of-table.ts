import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'

/** The rows of a table that indices choose: rows × indices × size; zeros for a missing index (−1). */
function gatherRows(table: Tensor2D, indices: Tensor2D): Tensor3D {
  const [rows, width] = indices.shape
  const flat = tf.reshape(indices, [rows * width])
  const found = tf.gather(table, tf.maximum(flat, tf.scalar(0, 'int32')))
  return tf.reshape(tf.mul(found, tf.reshape(presence(flat), [rows * width, 1])), [rows, width, table.shape[1]])
}

/** 1 for an index, 0 for a missing one. */
function presence(indices: Tensor): Tensor {
  return tf.cast(tf.greaterEqual(indices, tf.scalar(0, 'int32')), 'float32')
}

/** The sum of the rows that an index (rows × hashes) chooses: rows × size. */
export function sumOfRows(table: Tensor2D, indices: Tensor2D): Tensor2D {
  const gathered = gatherRows(table, indices)
  return indices.shape[1] === 1 ? tf.reshape(gathered, [indices.shape[0], table.shape[1]]) : tf.sum(gathered, 1)
}

/** The vectors of a sequence (rows × max × hashes): rows × max × (size + 1); the last number is 1 for an element. */
export function vectorsOfSequence(table: Tensor2D, indices: Tensor3D): Tensor3D {
  const [rows, max, hashes] = indices.shape
  const vectors = sumOfRows(table, tf.reshape(indices, [rows * max, hashes]))
  const first = tf.slice(indices, [0, 0, 0], [rows, max, 1])
  return tf.concat([tf.reshape(vectors, [rows, max, table.shape[1]]), presence(first) as Tensor3D], 2)
}

/** The sum or the mean of the vectors of a sequence: rows × size; zeros for an empty one. */
export function poolOfRows(table: Tensor2D, indices: Tensor3D, pool: 'mean' | 'sum'): Tensor2D {
  const [rows, max, hashes] = indices.shape
  const sum = sumOfRows(table, tf.reshape(indices, [rows, max * hashes]))
  if (pool === 'sum') return sum
  const count = tf.sum(tf.reshape(presence(tf.slice(indices, [0, 0, 0], [rows, max, 1])), [rows, max]), 1, true)
  return tf.div(sum, tf.maximum(count, 1))
}

/** For each index its sum of rows of the table of the same place, side by side: rows × (tables · size). */
export function sumOfTables(tables: readonly Tensor2D[], indices: readonly Tensor2D[]): Tensor2D {
  const [rows, hashes] = indices[0]!.shape
  const starts = tables.map((_, at) => tables.slice(0, at).reduce((sum, table) => sum + table.shape[0], 0))
  const offsets = tf.tensor2d(
    starts.flatMap((start) => new Array<number>(hashes).fill(start)),
    [1, tables.length * hashes],
    'int32',
  )
  const all = tf.concat([...indices], 1)
  const places = tf.add(tf.maximum(all, tf.scalar(0, 'int32')), offsets)
  const found = tf.gather(tf.concat([...tables], 0), tf.reshape(places, [all.size]))
  const there = tf.mul(found, tf.reshape(presence(all), [all.size, 1]))
  const size = tables[0]!.shape[1]
  if (hashes === 1) return tf.reshape(there, [rows, tables.length * size])
  return tf.reshape(tf.sum(tf.reshape(there, [rows * tables.length, hashes, size]), 1), [rows, tables.length * size])
}
