import { folded } from '../numbers.ts'

/** Missing if an argument is. */
export const max = folded({
  name: 'max',
  summary: 'The greatest of its arguments.',
  formula: 'max(a, b, …)',
  example: 'feature most = max(pin.saves, pin.clicks, 1)',
  compute(b, to) {
    for (let at = 0; at < to.length; at++) to[at] = Math.max(to[at]!, b[at]!)
  },
})
