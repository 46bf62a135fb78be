import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTransform, WeightShape } from '../definition.ts'
import { dense, denseOf, denseWeights, sideBySide } from './layers.ts'
import { poolOfRows, sumOfRows } from './rows-of-table.ts'
import { hintFor, indexOf, totalWidth, vectorOf, widthOf } from './shapes.ts'

const params = z.strictObject({ units: z.int().positive().max(8192).default(1) })

/** A weighted sum. An index has a weight for each row of its table, so `linear` of indices is logistic regression on ids. */
export const linear: LearnedTransform<z.output<typeof params>> = {
  name: 'linear',
  gradient: 'learned',
  summary: 'A weighted sum of numbers, vectors and indices; an index has a weight of its own for each id.',
  formula: 'b + Σ W·x + Σ w[index]; of a sequence of indices, the mean of their weights',
  example: 'layer score = linear(pin.save_rate, hash(pin.creator, rows: 65536))',
  params,
  typeOf(args, { units }) {
    if (args.length === 0) return { problem: 'needs at least one argument' }
    const arg = args.findIndex((type) => widthOf(type) === null && indexOf(type) === null)
    return arg < 0 ? vectorOf(units) : { problem: `needs numbers, vectors or indices${hintFor(args[arg]!)}`, arg }
  },
  weights(args, { units }) {
    const tables = args.flatMap((type, at): WeightShape[] => {
      const index = indexOf(type)
      return index === null ? [] : [{ name: `table${at}`, shape: [index.rows, units], initial: 'zeros', rowsOf: at }]
    })
    const width = totalWidth(args)
    const numbers = width === 0 ? [] : denseWeights('numbers', width, units)
    return [
      ...tables,
      ...numbers,
      ...(width === 0 ? [{ name: 'bias', shape: [units], initial: 'zeros' } as const] : []),
    ]
  },
  apply(args, _params, weights) {
    const numbers = args.filter((_, at) => !weights.has(`table${at}`))
    let sum: Tensor | null = numbers.length > 0 ? dense(sideBySide(numbers), 'numbers', weights) : null
    for (const [at, indices] of args.entries()) {
      const table = weights.get(`table${at}`) as Tensor2D | undefined
      if (table === undefined) continue
      const found =
        indices.rank === 2 ? sumOfRows(table, indices as Tensor2D) : poolOfRows(table, indices as Tensor3D, 'mean')
      sum = sum === null ? tf.add(found, weights.get('bias')!) : tf.add(sum, found)
    }
    return sum!
  },
  layers(args, _params, weights, layers) {
    const numbers = args.filter((arg) => arg.kind === 'matrix')
    let sum =
      numbers.length > 0
        ? layers.dense(layers.concat(numbers), denseOf('numbers', weights), null)
        : layers.constant(weights.get('bias')!.values)
    for (const [at, arg] of args.entries())
      if (arg.kind === 'indices') sum = layers.add(sum, layers.sumOfRows(weights.get(`table${at}`)!, arg))
    return sum
  },
}
