import { folded } from '../numbers.ts'

/** Missing if an argument is. */
export const min = folded({
  name: 'min',
  summary: 'The smallest of its arguments.',
  formula: 'min(a, b, …)',
  example: 'feature least = min(pin.saves, pin.clicks)',
  compute(b, to) {
    for (let at = 0; at < to.length; at++) to[at] = Math.min(to[at]!, b[at]!)
  },
})
