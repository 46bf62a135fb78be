import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import { tensorOf } from './columns.ts'
import type { TensorProgram } from './program.ts'

/**
 * Rows are padded to a multiple of this. Kernels process an incomplete block, or a single row, with other instructions, whose
 * results can differ in the last bits (seen with TensorFlow's sigmoid). With padding, every block is complete.
 */
const blockRows = 64

/** Weights on the backend. The caller disposes them. */
export function loadWeights(weights: ReadonlyMap<string, Weights>): Map<string, Tensor> {
  return new Map([...weights].map(([key, { shape, values }]) => [key, tf.tensor(values, [...shape])]))
}

/**
 * Values of heads for the picked rows: `rows × heads`. Not even the last bit of a row depends on the other rows. A column of
 * one row holds for all rows.
 */
export function predict(
  program: TensorProgram,
  weights: ReadonlyMap<string, Tensor>,
  columns: ReadonlyMap<string, Column>,
  picked: Int32Array,
): Float32Array {
  const rows = picked.length
  const padded = Math.ceil(rows / blockRows) * blockRows
  const result = tf.tidy(() => {
    const tensors = new Map<string, Tensor>()
    for (const [name, type] of program.reads) {
      const column = columns.get(name)!
      const choice = column.rows === 1 ? { rows: 1, picked: null, used: 1 } : { rows: padded, picked, used: rows }
      tensors.set(name, tensorOf(column, type, choice))
    }
    return program.run((name) => tensors.get(name)!, weights, padded, null)
  })
  // Read the numbers outside of `tidy`, which would search its result for tensors, number by number.
  const values = result.dataSync() as Float32Array
  result.dispose()
  return values.subarray(0, rows * (result.shape[1] ?? 1))
}
