import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** Turns a logit into a probability. */
export const sigmoid = elementwise({
  name: 'sigmoid',
  summary: 'Logistic function.',
  formula: '1 / (1 + e^−x)',
  example: 'feature likely = sigmoid(candidate.topic_affinity - 2)',
  params: noParams,
  compute(from, to) {
    for (let at = 0; at < to.length; at++) to[at] = 1 / (1 + Math.exp(-from[at]!))
  },
})
