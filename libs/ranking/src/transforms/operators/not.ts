import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'

/** The operator `not x`. */
export const not = elementwise({
  name: 'not',
  summary: '1 for 0 and 0 for any other number.',
  formula: '1 if x = 0, else 0',
  example: 'feature unseen = not candidate.seen',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) {
      const x = from[at]!
      to[at] = Number.isNaN(x) ? NaN : x === 0 ? 1 : 0
    }
  },
})
