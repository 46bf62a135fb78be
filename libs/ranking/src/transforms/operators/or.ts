import { binary } from '../numbers.ts'

/** The operator `a or b`; a number is true unless it is 0. */
export const or = binary({
  name: 'or',
  summary: '1 if one is true, else 0; missing if a number is missing.',
  formula: '1 if a ≠ 0 or b ≠ 0, else 0',
  example: 'feature known = pin.saves > 0 or pin.clicks > 0',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) {
      const x = a[at]!
      const y = b[at]!
      to[at] = Number.isNaN(x + y) ? NaN : x !== 0 || y !== 0 ? 1 : 0
    }
  },
})
