import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** For distances. */
export const abs = elementwise({
  name: 'abs',
  summary: 'Magnitude.',
  formula: '|x|',
  example: 'feature distance = abs(user.tempo - pin.tempo)',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) to[at] = Math.abs(from[at]!)
  },
})
