import { z } from 'zod'
import { asCategories, positionsIn } from '../categories.ts'
import type { FittedTransform } from '../definition.ts'
import { numbersColumn } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ label: z.string().min(1), strength: z.number().positive().default(20) })
const state = z.strictObject({ mean: z.number(), names: z.array(z.string()), rates: z.array(z.number()) })

/** Target statistics of a category (Micci-Barreca 2001). A name that training did not see has the overall mean. */
export const targetRate: FittedTransform<z.output<typeof params>, z.output<typeof state>> = {
  gradient: 'fitted',
  name: 'target_rate',
  summary:
    'Mean of a label over the training rows with this name, which starts at the mean of all rows and counts it as `strength` rows.',
  formula: '(Σ label + strength · mean) / (rows + strength)',
  example: 'feature creator_rate = target_rate(pin.creator, label: "save", strength: 50)',
  params,
  state,
  typeOf: (args) => checkArguments(args, 'category') ?? { kind: 'scalar' },
  stateProblem: ({ names, rates }) =>
    names.length === rates.length ? null : `have ${names.length} names and ${rates.length} rates`,
  fit([x], { label, strength }, { rows, labels, weights }) {
    const column = asCategories(x)
    const values = labels.get(label)!
    const sums = new Map<string, { weight: number; sum: number }>()
    const all = { weight: 0, sum: 0 }
    for (let row = 0; row < rows; row++) {
      const value = values[row]!
      const code = column.codes[column.rows === 1 ? 0 : row]!
      if (Number.isNaN(value)) continue
      const weight = weights?.[row] ?? 1
      all.weight += weight
      all.sum += weight * value
      if (code < 0) continue
      const own = sums.get(column.names[code]!) ?? { weight: 0, sum: 0 }
      own.weight += weight
      own.sum += weight * value
      sums.set(column.names[code]!, own)
    }
    const mean = all.weight === 0 ? 0 : all.sum / all.weight
    const names = [...sums.keys()].sort()
    const rates = names.map((name) => {
      const own = sums.get(name)!
      return (own.sum + strength * mean) / (own.weight + strength)
    })
    return { mean, names, rates }
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
