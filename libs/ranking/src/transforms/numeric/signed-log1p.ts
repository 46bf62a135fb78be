import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** For amounts that can be negative. */
export const signedLog1p = elementwise({
  name: 'signed_log1p',
  summary: 'Logarithm of one plus the magnitude, with the sign of the number.',
  formula: 'sign(x) · ln(1 + |x|)',
  example: 'feature affinity = signed_log1p(candidate.topic_affinity)',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) {
      const x = from[at]!
      to[at] = x < 0 ? -Math.log1p(-x) : Math.log1p(x)
    }
  },
})
