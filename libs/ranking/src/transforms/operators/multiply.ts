import { binary } from '../numbers.ts'

/** The operator `a * b`. */
export const multiply = binary({
  name: 'multiply',
  summary: 'Product.',
  formula: 'a · b',
  example: 'feature expected = pin.impressions * pin.save_rate',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) to[at] = a[at]! * b[at]!
  },
})
