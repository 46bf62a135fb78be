import type { FixedTransform } from '../definition.ts'
import { numbersColumn } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { comparedVectors, pairOfVectors } from '../vectors.ts'

/** Summed as 64-bit floats in the order of the numbers. */
export const dot: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'dot',
  summary: 'Dot product of two vectors of one size; missing if a number is missing.',
  formula: 'Σ aᵢ · bᵢ',
  example: 'feature match = dot(user.taste, pin.embedding)',
  params: noParams,
  typeOf: comparedVectors,
  evaluate([a, b], _params, output) {
    const { width, left, leftStep, right, rightStep } = pairOfVectors(a, b)
    const to = output.floats(output.rows)
    for (let row = 0, x = 0, y = 0; row < to.length; row++, x += leftStep, y += rightStep) {
      let sum = 0
      for (let at = 0; at < width; at++) sum += left[x + at]! * right[y + at]!
      to[row] = sum
    }
    return numbersColumn(output.rows, 1, to)
  },
}
