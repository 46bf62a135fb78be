import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { LearnedTransform } from '../definition.ts'
import { sideBySide } from './layers.ts'
import { poolOfRows, sumOfRows, sumOfTables, vectorsOfSequence } from './rows-of-table.ts'
import { hintFor, indexOf, vectorOf } from './shapes.ts'

const params = z.strictObject({
  size: z.int().positive().max(1024),
  pool: z.enum(['mean', 'sum', 'none']).default('mean'),
})

/** A vector of numbers for each id. Several arguments have a table each, and their vectors are put side by side. */
export const embedding: LearnedTransform<z.output<typeof params>> = {
  name: 'embedding',
  gradient: 'learned',
  summary:
    'A learned vector for each id. Several arguments have a table each; of a sequence, the mean, the sum or each vector (`pool: none`).',
  formula: 'Σₕ table[indexₕ] over the hash functions of an id (hash embeddings: Svenstrup et al. 2017)',
  example: 'feature taste = embedding(hash(pin.creator, rows: 65536), size: 16)',
  params,
  typeOf(args, { size, pool }) {
    if (args.length === 0) return { problem: 'needs at least one index' }
    const arg = args.findIndex((type) => indexOf(type) === null)
    if (arg >= 0) return { problem: `needs an index${hintFor(args[arg]!)}`, arg }
    const [first] = args
    if (pool !== 'none') return vectorOf(size * args.length)
    if (args.length !== 1 || first?.kind !== 'sequence')
      return { problem: 'needs one sequence for `pool: none`', arg: 0 }
    return { kind: 'sequence', of: { kind: 'vector', size }, max: first.max }
  },
  weights: (args, { size }) =>
    args.map((type, at) => ({
      name: `table${at}`,
      shape: [indexOf(type)!.rows, size],
      initial: 'table',
      rowsOf: at,
    })),
  apply(args, { pool }, weights, training) {
    const tables = args.map((_, at) => weights.get(`table${at}`) as Tensor2D)
    if (pool === 'none') return vectorsOfSequence(tables[0]!, args[0] as Tensor3D)
    const hashes = args[0]!.shape[1]!
    const areAlike = args.every(({ rank, shape }) => rank === 2 && shape[1] === hashes)
    // Training takes all tables in one operation, because operations on small tensors cost more than their arithmetic. Serving
    // does not, because it would copy the tables for each page.
    if (training !== null && args.length > 1 && areAlike) return sumOfTables(tables, args as Tensor2D[])
    return sideBySide(args.map((indices, at) => pooled(tables[at]!, indices, pool)))
  },
  layers(args, { pool }, weights, layers) {
    const indices = args.filter((arg) => arg.kind === 'indices')
    if (pool === 'none' || indices.length < args.length) return null
    return layers.concat(indices.map((arg, at) => layers.sumOfRows(weights.get(`table${at}`)!, arg)))
  },
}

function pooled(table: Tensor2D, indices: Tensor, pool: 'mean' | 'sum'): Tensor2D {
  return indices.rank === 2 ? sumOfRows(table, indices as Tensor2D) : poolOfRows(table, indices as Tensor3D, pool)
}
