import { binary } from '../numbers.ts'

/** The operator `a - b`. */
export const subtract = binary({
  name: 'subtract',
  summary: 'Difference.',
  formula: 'a − b',
  example: 'feature pace = user.tempo - pin.tempo',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) to[at] = a[at]! - b[at]!
  },
})
