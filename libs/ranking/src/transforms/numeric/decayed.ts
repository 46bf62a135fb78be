import { decay } from '@freshet/domain/decay'
import { z } from 'zod'
import type { FixedTransform } from '../definition.ts'
import { numbersColumn, spread } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const hourMs = 3_600_000
const params = z.strictObject({ half_life: z.number().positive() })

/** A counter that was written at one time, read at a later one. `half_life` is in hours. */
export const decayed: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'decayed',
  summary:
    'A counter as of `now` that had this value at `at`; times are milliseconds since 1970, `half_life` is in hours.',
  formula: 'value · 2^(−max(0, now − at) / half_life)',
  example: 'feature recent_saves = decayed(pin.saves, pin.saves_at, request.time, half_life: 24)',
  params,
  times: [1, 2],
  typeOf: (args) => checkArguments(args, 'scalar', 'scalar', 'scalar') ?? { kind: 'scalar' },
  multiplyAdds: () => 3,
  evaluate([value, at, now], { half_life: halfLife }, output) {
    const values = spread(value, 1, output)
    const from = spread(at, 1, output)
    const until = spread(now, 1, output)
    const to = output.floats(output.rows)
    for (let row = 0; row < to.length; row++)
      to[row] = values[row]! * decay(until[row]! - from[row]!, halfLife * hourMs)
    return numbersColumn(output.rows, 1, to)
  },
}
