import { binary } from '../numbers.ts'

/** The operator `a >= b`. */
export const greaterEqual = binary({
  name: 'greater_equal',
  summary: '1 if it holds, else 0; missing if a number is missing.',
  formula: '1 if a ≥ b, else 0',
  example: 'feature young = pin.age_hours >= 24',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) {
      const x = a[at]!
      const y = b[at]!
      to[at] = Number.isNaN(x + y) ? NaN : x >= y ? 1 : 0
    }
  },
})
