import type { FixedTransform } from '../definition.ts'
import { asNumbers, numbersColumn, spread } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { comparedVectors } from '../vectors.ts'

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
    const { width } = asNumbers(a)
    const left = spread(a, width, output)
    const right = spread(b, width, output)
    const to = output.floats(output.rows)
    for (let row = 0, at = 0; row < to.length; row++) {
      let sum = 0
      for (const end = at + width; at < end; at++) sum += left[at]! * right[at]!
      to[row] = sum
    }
    return numbersColumn(output.rows, 1, to)
  },
}
