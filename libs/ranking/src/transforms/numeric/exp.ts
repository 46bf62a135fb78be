import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** The exponent stops at 88, so that the result is a finite 32-bit float. */
export const exp = elementwise({
  name: 'exp',
  summary: 'Exponential; an exponent above 88 counts as 88.',
  formula: 'e^min(x, 88)',
  example: 'feature fresh = exp(-pin.age_hours / 24)',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) to[at] = Math.exp(Math.min(88, from[at]!))
  },
})
