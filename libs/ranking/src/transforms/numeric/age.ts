import { z } from 'zod'
import { numbersColumn, spread } from '../numbers.ts'
import type { FixedTransform } from '../definition.ts'
import { checkArguments } from '../types.ts'

const msOf = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const
const params = z.strictObject({ unit: z.enum(['seconds', 'minutes', 'hours', 'days']).default('hours') })

/** The 64-bit times are subtracted before the result becomes a 32-bit float. */
export const age: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'age',
  summary: 'Time since `at`; both times are milliseconds since 1970. A time in the future has age 0.',
  formula: 'max(0, now − at) / unit',
  example: 'feature age = age(pin.created_at, request.time, unit: "days")',
  params,
  times: [0, 1],
  typeOf: (args) => checkArguments(args, 'scalar', 'scalar') ?? { kind: 'scalar' },
  evaluate([at, now], { unit }, output) {
    const from = spread(at, 1, output)
    const until = spread(now, 1, output)
    const to = output.floats(output.rows)
    const unitMs = msOf[unit]
    for (let row = 0; row < to.length; row++) to[row] = Math.max(0, until[row]! - from[row]!) / unitMs
    return numbersColumn(output.rows, 1, to)
  },
}
