import { z } from 'zod'
import { elementwise } from '../numbers.ts'

const params = z
  .strictObject({ low: z.number().nullable().default(null), high: z.number().nullable().default(null) })
  .refine(({ low, high }) => low === null || high === null || low <= high, 'low must not be above high')

/** For numbers with a useful range. */
export const clip = elementwise({
  name: 'clip',
  summary: 'Limits a number to a range; without `low` or `high` that side is open.',
  formula: 'min(high, max(low, x))',
  example: 'feature affinity = clip(candidate.topic_affinity, low: -3, high: 3)',
  params,
  compute(from, to, { low, high }) {
    const least = low ?? -Infinity
    const most = high ?? Infinity
    for (let at = 0; at < to.length; at++) to[at] = Math.min(most, Math.max(least, from[at]!))
  },
})
