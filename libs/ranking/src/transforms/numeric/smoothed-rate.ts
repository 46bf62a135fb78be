import { z } from 'zod'
import type { FixedTransform } from '../definition.ts'
import { numbersColumn, spread } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ prior: z.number().min(0).max(1), strength: z.number().positive() })

/** The mean of a rate's posterior under a Beta(prior · strength, (1 − prior) · strength) distribution. */
export const smoothedRate: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'smoothed_rate',
  summary: 'A rate that starts at `prior` and counts it as much as `strength` trials.',
  formula: '(acted + prior · strength) / (seen + strength)',
  example: 'feature save_rate = smoothed_rate(pin.saves, pin.impressions, prior: 0.02, strength: 20)',
  params,
  typeOf: (args) => checkArguments(args, 'scalar', 'scalar') ?? { kind: 'scalar' },
  evaluate([acted, seen], { prior, strength }, output) {
    const hits = spread(acted, 1, output)
    const trials = spread(seen, 1, output)
    const to = output.floats(output.rows)
    for (let row = 0; row < to.length; row++) to[row] = (hits[row]! + prior * strength) / (trials[row]! + strength)
    return numbersColumn(output.rows, 1, to)
  },
}
