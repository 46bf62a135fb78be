import { binary } from '../numbers.ts'

/** The operator `a + b`. */
export const add = binary({
  name: 'add',
  summary: 'Sum.',
  formula: 'a + b',
  example: 'feature actions = pin.saves + pin.clicks',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) to[at] = a[at]! + b[at]!
  },
})
