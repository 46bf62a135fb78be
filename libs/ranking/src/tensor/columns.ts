import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Column } from '../plan/column.ts'
import type { ValueType } from '../plan/value-type.ts'

/** Picks rows of a column: row `at` of the result is row `pick(at)` of the column. */
export interface RowChoice {
  /** Rows of the result. */
  readonly rows: number
  /** The chosen rows; null: the first ones. Rows after the last chosen one are filled up with missing values. */
  readonly picked: Int32Array | null
  /** Rows in use; the others are padding. */
  readonly used: number
}

/** Numbers of a tensor that is yet to be made. */
export interface TensorData {
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array
}

/** Rows of a column as a tensor for learned transforms; see `arrayOf`. */
export function tensorOf(column: Column, type: ValueType, choice: RowChoice): Tensor {
  return toTensor(arrayOf(column, type, choice))
}

/** The tensor of these numbers. */
export function toTensor({ shape, values }: TensorData): Tensor {
  return tf.tensor(values, [...shape], values instanceof Int32Array ? 'int32' : 'float32')
}

/** Rows of a column: missing numbers are 0, missing indices −1, sequences are padded to their `max`. */
export function arrayOf(column: Column, type: ValueType, choice: RowChoice): TensorData {
  const { rows } = choice
  if (column.kind === 'numbers') {
    const { width } = column
    return { shape: [rows, width], values: numbersOf(column.values, width, choice) }
  }
  if (column.kind === 'indices') {
    const { hashes } = column
    return { shape: [rows, hashes], values: indicesOf(column.values, hashes, choice) }
  }
  if (column.kind === 'sequences' && type.kind === 'sequence') return sequenceOf(column, type.max, choice)
  throw new TypeError(`a column of ${column.kind} cannot enter a learned transform`)
}

function numbersOf(values: Float32Array, width: number, { rows, picked, used }: RowChoice): Float32Array {
  const out = new Float32Array(rows * width)
  for (let row = 0; row < used; row++) {
    const from = (picked === null ? row : picked[row]!) * width
    for (let at = 0; at < width; at++) {
      const value = values[from + at]!
      out[row * width + at] = Number.isFinite(value) ? value : 0
    }
  }
  return out
}

function indicesOf(values: Int32Array, hashes: number, { rows, picked, used }: RowChoice): Int32Array {
  const out = new Int32Array(rows * hashes).fill(-1)
  for (let row = 0; row < used; row++) {
    const from = (picked === null ? row : picked[row]!) * hashes
    for (let at = 0; at < hashes; at++) out[row * hashes + at] = values[from + at]!
  }
  return out
}

function sequenceOf(column: Extract<Column, { kind: 'sequences' }>, max: number, choice: RowChoice): TensorData {
  const { elements } = column
  if (elements.kind === 'indices') {
    const out = new Int32Array(choice.rows * max * elements.hashes).fill(-1)
    eachElement(column, max, choice, (element, place) => {
      for (let at = 0; at < elements.hashes; at++)
        out[place * elements.hashes + at] = elements.values[element * elements.hashes + at]!
    })
    return { shape: [choice.rows, max, elements.hashes], values: out }
  }
  if (elements.kind !== 'numbers')
    throw new TypeError(`a sequence of ${elements.kind} cannot enter a learned transform`)
  const columns = elements.width + 1
  const out = new Float32Array(choice.rows * max * columns)
  eachElement(column, max, choice, (element, place) => {
    for (let at = 0; at < elements.width; at++) {
      const value = elements.values[element * elements.width + at]!
      out[place * columns + at] = Number.isFinite(value) ? value : 0
    }
    out[place * columns + elements.width] = 1
  })
  return { shape: [choice.rows, max, columns], values: out }
}

/** Calls with each element of the chosen rows and its place in the padded rows. */
function eachElement(
  { offsets }: Extract<Column, { kind: 'sequences' }>,
  max: number,
  { picked, used }: RowChoice,
  take: (element: number, place: number) => void,
): void {
  for (let row = 0; row < used; row++) {
    const from = picked === null ? row : picked[row]!
    const first = offsets[from]!
    const count = Math.min(max, offsets[from + 1]! - first)
    for (let at = 0; at < count; at++) take(first + at, row * max + at)
  }
}
