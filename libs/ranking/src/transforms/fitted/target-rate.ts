import { z } from 'zod'
import { asCategories, positionsIn, type Categories } from '../categories.ts'
import type { FittedTransform, FittingRows } from '../definition.ts'
import { drawFolds, folds } from '../folds.ts'
import { numbersColumn } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ label: z.string().min(1), strength: z.number().positive().default(20) })
const state = z.strictObject({ mean: z.number(), names: z.array(z.string()), rates: z.array(z.number()) })

/**
 * Target statistics of a category (Micci-Barreca 2001). A name that training did not see has the overall mean. In training, each
 * row has the rate of the other folds: with its own label in it, a model would trust names that it saw once.
 */
export const targetRate: FittedTransform<z.output<typeof params>, z.output<typeof state>> = {
  gradient: 'fitted',
  name: 'target_rate',
  summary:
    'Mean of a label over the training rows with this name, which starts at the mean of all rows and counts it as `strength` rows. In training, each row has the mean of the four fifths of the rows that it is not part of.',
  formula: '(Σ label + strength · mean) / (rows + strength)',
  example: 'feature creator_rate = target_rate(pin.creator, label: "save", strength: 50)',
  params,
  state,
  typeOf: (args) => checkArguments(args, 'category') ?? { kind: 'scalar' },
  stateProblem: ({ names, rates }) =>
    names.length === rates.length ? null : `have ${names.length} names and ${rates.length} rates`,
  fit([x], { label, strength }, training) {
    const { all, byCode } = sumsOf(asCategories(x), label, training, () => true)
    const { names: dictionary } = asCategories(x)
    const mean = meanOf(all)
    const seen = [...byCode].map(([code, sum]) => [dictionary[code]!, rateOf(sum, mean, strength)] as const)
    seen.sort(([a], [b]) => (a < b ? -1 : 1))
    return { mean, names: seen.map(([name]) => name), rates: seen.map(([, rate]) => rate) }
  },
  outOfFold([x], { label, strength }, training, output) {
    const column = asCategories(x)
    const foldOf = drawFolds(training)
    const to = output.floats(training.rows)
    for (let fold = 0; fold < folds; fold++) {
      const { all, byCode } = sumsOf(column, label, training, (row) => foldOf[row] !== fold)
      const mean = meanOf(all)
      for (let row = 0; row < training.rows; row++) {
        if (foldOf[row] !== fold) continue
        const code = codeOf(column, row)
        to[row] = code < 0 ? NaN : rateOf(byCode.get(code) ?? nothing, mean, strength)
      }
    }
    return numbersColumn(training.rows, 1, to)
  },
  evaluate([x], _params, output, { mean, names: known, rates }) {
    const { codes, names } = asCategories(x)
    const to = output.floats(codes.length)
    const positions = positionsIn(known)
    for (let row = 0; row < codes.length; row++)
      to[row] = codes[row]! < 0 ? NaN : (rates[positions.get(names[codes[row]!]!) ?? -1] ?? mean)
    return numbersColumn(codes.length, 1, to)
  },
}

/** Weighted labels of some rows. */
interface LabelSum {
  readonly weight: number
  readonly sum: number
}

const nothing: LabelSum = { weight: 0, sum: 0 }

/** Sums of a label over the rows that are taken and have it: of all, and by the code of their name. */
function sumsOf(
  column: Categories,
  label: string,
  { rows, labels, weights }: FittingRows,
  isTaken: (row: number) => boolean,
): { readonly all: LabelSum; readonly byCode: ReadonlyMap<number, LabelSum> } {
  const values = labels.get(label)!
  const byCode = new Map<number, { weight: number; sum: number }>()
  const all = { weight: 0, sum: 0 }
  for (let row = 0; row < rows; row++) {
    const value = values[row]!
    if (Number.isNaN(value) || !isTaken(row)) continue
    const weight = weights?.[row] ?? 1
    all.weight += weight
    all.sum += weight * value
    const code = codeOf(column, row)
    if (code < 0) continue
    const own = byCode.get(code) ?? { weight: 0, sum: 0 }
    own.weight += weight
    own.sum += weight * value
    byCode.set(code, own)
  }
  return { all, byCode }
}

function codeOf({ codes, rows }: Categories, row: number): number {
  return codes[rows === 1 ? 0 : row]!
}

function meanOf({ weight, sum }: LabelSum): number {
  return weight === 0 ? 0 : sum / weight
}

function rateOf({ weight, sum }: LabelSum, mean: number, strength: number): number {
  return (sum + strength * mean) / (weight + strength)
}
