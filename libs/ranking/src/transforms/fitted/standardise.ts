import { z } from 'zod'
import type { FittedTransform } from '../definition.ts'
import { asNumbers, numbersColumn } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkArguments, widthOf } from '../types.ts'

const state = z.strictObject({ means: z.array(z.number()), deviations: z.array(z.number().positive()) })

/** Brings numbers of any unit to one magnitude. A number that never varies has deviation 1. */
export const standardise: FittedTransform<NoParams, z.output<typeof state>> = {
  gradient: 'fitted',
  name: 'standardise',
  summary:
    'Distance from the mean of the training rows in standard deviations; missing numbers do not count for either.',
  formula: '(x − mean) / deviation',
  example: 'feature saves = standardise(log1p(pin.saves))',
  params: noParams,
  state,
  typeOf: (args) => checkArguments(args, 'numbers') ?? args[0]!,
  stateProblem({ means, deviations }, [x]) {
    const width = widthOf(x!)
    if (means.length === width && deviations.length === width) return null
    return `have ${means.length} means and ${deviations.length} deviations; its argument has ${width} numbers`
  },
  fit([x], _params, { rows, weights }) {
    const { width, values, rows: own } = asNumbers(x)
    const means: number[] = []
    const deviations: number[] = []
    for (let column = 0; column < width; column++) {
      let total = 0
      let mean = 0
      let squares = 0
      for (let row = 0; row < rows; row++) {
        const value = values[(own === 1 ? 0 : row) * width + column]!
        if (Number.isNaN(value)) continue
        // The weighted form of Welford's update (West 1979).
        const weight = weights?.[row] ?? 1
        total += weight
        const distance = value - mean
        mean += (distance * weight) / total
        squares += weight * distance * (value - mean)
      }
      means.push(mean)
      deviations.push(total > 0 && squares > 0 ? Math.sqrt(squares / total) : 1)
    }
    return { means, deviations }
  },
  evaluate([x], _params, output, { means, deviations }) {
    const { width, values, rows } = asNumbers(x)
    const to = output.floats(rows * width)
    for (let row = 0, at = 0; row < rows; row++)
      for (let column = 0; column < width; column++, at++) to[at] = (values[at]! - means[column]!) / deviations[column]!
    return numbersColumn(rows, width, to)
  },
}
