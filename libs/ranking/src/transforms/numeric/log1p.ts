import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** For counts and ages, which grow without bound. */
export const log1p = elementwise({
  name: 'log1p',
  summary: 'Logarithm of one plus a count; numbers below 0 count as 0.',
  formula: 'ln(1 + max(0, x))',
  example: 'feature popular = log1p(pin.saves)',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) to[at] = Math.log1p(Math.max(0, from[at]!))
  },
})
