import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { mulberry32 } from '@freshet/domain/mulberry32'
import type { ValueType } from '../../plan/value-type.ts'
import type { LearnedTraining, LearnedTransform } from '../definition.ts'

/** A learned transform with arguments and random weights, for tests. */
export interface Example {
  readonly name: string
  readonly transform: LearnedTransform
  readonly types: readonly ValueType[]
  readonly params: Record<string, unknown>
}

/** Random weights of an example by name; all are drawn, so that none is zero. */
export function weightsOf({ transform, types, params }: Example, seed: number): Map<string, Tensor> {
  const random = mulberry32(seed)
  return new Map(
    transform.weights(types, params).map(({ name, shape, isObserved }) => {
      const size = shape.reduce((product, part) => product * part, 1)
      const values = Float32Array.from({ length: size }, () => (isObserved === true ? 0.5 + random() : random() - 0.5))
      return [name, tf.tensor(values, [...shape])]
    }),
  )
}

/** Random arguments of `rows` rows; some indices are missing, and sequences have different lengths. */
export function argsOf({ types }: Example, rows: number, seed: number): Tensor[] {
  const random = mulberry32(seed)
  return types.map((type) => {
    if (type.kind === 'scalar') return numbers([rows, 1], random)
    if (type.kind === 'vector') return numbers([rows, type.size], random)
    if (type.kind === 'index') return indices([rows, type.hashes], type.rows, random)
    if (type.kind === 'sequence' && type.of.kind === 'index')
      return indices([rows, type.max, type.of.hashes], type.of.rows, random)
    if (type.kind === 'sequence' && type.of.kind === 'vector') return sequence([rows, type.max, type.of.size], random)
    throw new TypeError(`no test values of type ${type.kind}`)
  })
}

function numbers(shape: number[], random: () => number): Tensor {
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 2 * random() - 1),
    shape,
  )
}

/** The hashes of one element are all there or all missing. */
function indices(shape: number[], tableRows: number, random: () => number): Tensor {
  const hashes = shape.at(-1)
  const values = new Int32Array(tf.util.sizeFromShape(shape))
  for (let at = 0; at < values.length; at += hashes) {
    const isMissing = random() < 0.2
    for (let hash = 0; hash < hashes; hash++) values[at + hash] = isMissing ? -1 : Math.floor(random() * tableRows)
  }
  return tf.tensor(values, shape, 'int32')
}

function sequence([rows, max, size]: [number, number, number], random: () => number): Tensor {
  const values = new Float32Array(rows * max * (size + 1))
  for (let row = 0; row < rows; row++) {
    const length = Math.floor(random() * (max + 1))
    for (let place = 0; place < length; place++) {
      const from = (row * max + place) * (size + 1)
      for (let at = 0; at < size; at++) values[from + at] = 2 * random() - 1
      values[from + size] = 1
    }
  }
  return tf.tensor(values, [rows, max, size + 1])
}

/** What a transform gets while it is trained, without dropout; observed values are dropped. */
export function trainingForTests(random: () => number): LearnedTraining {
  return { dropout: 0, random, mask: (rows, width) => tf.ones([rows, width]), observe: () => undefined }
}
