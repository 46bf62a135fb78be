import { z } from 'zod'
import { defineTransform } from './transform.ts'

/** For probabilities, where ratios matter. `log` is the floor: smaller numbers count as the floor. */
export const log = defineTransform({
  name: 'log',
  spelling: '{"log": floor}',
  formula: 'ln(max(floor, x))',
  schema: z.strictObject({ log: z.number().positive() }),
  compile:
    ({ log: floor }, width) =>
    (features, out, column) => {
      for (let at = column; at < features.length; at += width) out[at] = Math.log(Math.max(floor, features[at]!))
    },
})
