import { z } from 'zod'
import { elementwise } from '../numbers.ts'

/** For probabilities and ratios, where factors matter. */
export const log = elementwise({
  name: 'log',
  summary: 'Natural logarithm; numbers below the floor count as the floor.',
  formula: 'ln(max(floor, x))',
  example: 'feature scarce = log(pin.save_rate, floor: 0.0001)',
  params: z.strictObject({ floor: z.number().positive().default(1e-6) }),
  compute(from, to, { floor }) {
    for (let at = 0; at < to.length; at++) to[at] = Math.log(Math.max(floor, from[at]!))
  },
})
