import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** Dampens counts less than a logarithm. */
export const sqrt = elementwise({
  name: 'sqrt',
  summary: 'Square root; numbers below 0 count as 0.',
  formula: '√max(0, x)',
  example: 'feature popular = sqrt(pin.saves)',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) to[at] = Math.sqrt(Math.max(0, from[at]!))
  },
})
