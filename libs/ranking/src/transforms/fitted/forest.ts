import { z } from 'zod'
import { compileForest, rawForestScores, type FeatureMatrix, type Forest } from '../../forest/forest.ts'
import { parseForest } from '../../forest/parse.ts'
import { trainForest } from '../../forest/training/train.ts'
import { writeForest } from '../../forest/write.ts'
import type { Column } from '../../plan/column.ts'
import type { ValueType } from '../../plan/value-type.ts'
import type { FittedTransform, FittingRows } from '../definition.ts'
import { drawFolds, folds } from '../folds.ts'
import { numbersColumn } from '../numbers.ts'

const params = z
  .strictObject({
    file: z.string().min(1).nullable().default(null),
    label: z.string().min(1).nullable().default(null),
    trees: z.int().positive().max(10_000).default(100),
    leaves: z.int().min(2).max(4096).default(31),
    rate: z.number().positive().max(1).default(0.1),
    objective: z.enum(['binary', 'lambdarank']).default('binary'),
  })
  .refine(({ file, label }) => (file === null) !== (label === null), 'give either a file or a label')
const state = z.strictObject({ text: z.string() })
type State = z.output<typeof state>

/** Forests of the statistics in use: a text is parsed once. */
const compiled = new WeakMap<State, Forest>()

/**
 * Gradient boosted trees, trained on the rows or read from a file in LightGBM's text format; the file is read when the plan is
 * fitted, and is part of the model then. Indices of one hash are categories; everything else is a number. Where a learned or a
 * fitted node reads the score, a training row has the score of a forest that was learned from the other folds.
 */
export const forest: FittedTransform<z.output<typeof params>, State> = {
  gradient: 'fitted',
  name: 'forest',
  summary:
    'The logit of a label by gradient boosted trees over numbers, vectors and indices, or the raw score of a LightGBM `file` (its path is relative to the spec); an index, for example of a vocabulary, is a category. With the objective `lambdarank` it learns the order of the rows of each group instead, and its number orders but is no logit. Where a learned or a fitted node reads the score, a training row has that of a forest learned from other rows, so training learns six forests.',
  formula: 'Σ over trees of the value of the leaf (Friedman 2001; LightGBM, Ke et al. 2017; LambdaRank, Burges 2010)',
  example: 'head save: probability = forest(pin.save_rate, vocabulary(pin.creator), label: "save", trees: 200)',
  params,
  files: ['file'],
  state,
  typeOf(args) {
    if (args.length === 0) return { problem: 'needs at least one number, vector or index' }
    const arg = args.findIndex((type) => columnsOf(type) === null)
    return arg < 0 ? { kind: 'scalar' } : { problem: 'needs a number, a vector or an index of one hash', arg }
  },
  multiplyAdds: (_args, { trees, leaves }) => trees * Math.ceil(Math.log2(leaves)),
  stateProblem(given, args) {
    const width = args.reduce((sum, type) => sum + (columnsOf(type) ?? 0), 0)
    const { features } = forestOf(given)
    return features === width ? null : `have ${features} features; the arguments have ${width} numbers`
  },
  fit(args, given, training) {
    const { file } = given
    if (file === null) return { text: learn(args, given, training, () => true) }
    const text = training.readFile(file)
    parseForest(text, file)
    return { text }
  },
  outOfFold(args, given, training, output) {
    if (given.file !== null) return null
    const { rows } = training
    const foldOf = drawFolds(training)
    const matrix = matrixOf(args, rows, (length) => new Float64Array(length))
    const values = output.floats(rows)
    const scores = new Float64Array(rows)
    for (let fold = 0; fold < folds; fold++) {
      const text = learn(args, given, training, (row) => foldOf[row] !== fold)
      rawForestScores(compileForest(parseForest(text)), matrix, scores)
      for (let row = 0; row < rows; row++) if (foldOf[row] === fold) values[row] = scores[row]!
    }
    return numbersColumn(rows, 1, values)
  },
  evaluate(args, _params, output, given) {
    const { rows } = output
    const scores = output.doubles(rows)
    rawForestScores(
      forestOf(given),
      matrixOf(args, rows, (length) => output.doubles(length)),
      scores,
    )
    const values = output.floats(rows)
    values.set(scores.subarray(0, rows))
    return numbersColumn(rows, 1, values)
  },
}

/** The text of a forest that is learned from the rows that have the label and are taken. */
function learn(
  args: readonly Column[],
  { label, trees, leaves, rate, objective }: z.output<typeof params>,
  { rows, labels: all, weights, groups, seed }: FittingRows,
  isTaken: (row: number) => boolean,
): string {
  const labels = all.get(label!)!
  const known = [...labels.keys()].filter((row) => !Number.isNaN(labels[row]) && isTaken(row))
  const matrix = matrixOf(args, rows, (length) => new Float64Array(length))
  const width = matrix.rowStride
  const values = Float64Array.from({ length: known.length * width }, (_, at) => {
    return matrix.values[known[Math.floor(at / width)]! * width + (at % width)]!
  })
  const isCategorical = args.flatMap((column) =>
    column.kind === 'numbers' ? new Array<boolean>(column.width).fill(false) : [true],
  )
  const { model } = trainForest(
    {
      rows: {
        matrix: { values, rows: known.length, rowStride: width, featureStride: 1 },
        labels: Float64Array.from(known, (row) => labels[row]!),
        ...(weights === null ? {} : { weights: Float64Array.from(known, (row) => weights[row]!) }),
        ...(groups === undefined ? {} : { groups: Int32Array.from(known, (row) => groups[row]!) }),
      },
      columns: { names: isCategorical.map((_, at) => `f${at}`), isCategorical },
    },
    { objective, trees, leaves, learningRate: rate, seed },
  )
  return writeForest(model)
}

function forestOf(given: State): Forest {
  const found = compiled.get(given) ?? compileForest(parseForest(given.text))
  compiled.set(given, found)
  return found
}

/** Columns of the matrix that an argument takes; null: it cannot be one. */
function columnsOf(type: ValueType): number | null {
  if (type.kind === 'scalar') return 1
  if (type.kind === 'vector') return type.size
  return type.kind === 'index' && type.hashes === 1 ? 1 : null
}

/** The arguments side by side, row by row. A missing number or index is NaN; an argument of one row holds for all. */
function matrixOf(args: readonly Column[], rows: number, create: (length: number) => Float64Array): FeatureMatrix {
  const widths = args.map((column) => (column.kind === 'numbers' ? column.width : 1))
  const width = widths.reduce((sum, own) => sum + own, 0)
  const values = create(rows * width)
  let first = 0
  for (const [at, column] of args.entries()) {
    if (column.kind !== 'numbers' && column.kind !== 'indices')
      throw new TypeError(`a forest cannot read ${column.kind}`)
    const own = widths[at]!
    for (let row = 0; row < rows; row++)
      for (let place = 0; place < own; place++) {
        const value = column.values[(column.rows === 1 ? 0 : row) * own + place]!
        values[row * width + first + place] = column.kind === 'indices' && value < 0 ? NaN : value
      }
    first += own
  }
  return { values, rows, rowStride: width, featureStride: 1 }
}
