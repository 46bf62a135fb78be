import { binary } from '../numbers.ts'

/** The operator `a / b`. */
export const divide = binary({
  name: 'divide',
  summary: 'Quotient; missing if the divisor is 0.',
  formula: 'a / b',
  example: 'feature rate = pin.saves / pin.impressions',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) to[at] = b[at] === 0 ? NaN : a[at]! / b[at]!
  },
})
