import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** The operator `-x`. */
export const negate = elementwise({
  name: 'negate',
  summary: 'Changes the sign.',
  formula: '−x',
  example: 'feature old = -pin.age_hours',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) to[at] = -from[at]!
  },
})
