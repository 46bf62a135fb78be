import type { FixedTransform } from '../definition.ts'
import { numbersColumn, type Floats } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { comparedVectors, pairOfVectors } from '../vectors.ts'

/** Similarity of two embeddings whatever their lengths. */
export const cosine: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'cosine',
  summary:
    'Cosine of the angle between two vectors of one size; 0 if one has length 0, missing if a number is missing.',
  formula: 'Σ aᵢ · bᵢ / (√Σ aᵢ² · √Σ bᵢ²)',
  example: 'feature alike = cosine(user.taste, pin.embedding)',
  params: noParams,
  typeOf: comparedVectors,
  multiplyAdds: ([a]) => (a?.kind === 'vector' ? 3 * a.size : 0),
  evaluate([a, b], _params, output) {
    const { width, left, leftStep, right, rightStep } = pairOfVectors(a, b)
    const to = output.floats(output.rows)
    let leftLength = lengthOf(left, 0, width)
    let rightLength = lengthOf(right, 0, width)
    for (let row = 0, x = 0, y = 0; row < to.length; row++, x += leftStep, y += rightStep) {
      let product = 0
      for (let at = 0; at < width; at++) product += left[x + at]! * right[y + at]!
      // The length of a vector that all rows share is known already.
      if (leftStep > 0) leftLength = lengthOf(left, x, width)
      if (rightStep > 0) rightLength = lengthOf(right, y, width)
      const length = leftLength * rightLength
      to[row] = length === 0 ? 0 : product / length
    }
    return numbersColumn(output.rows, 1, to)
  },
}

function lengthOf(values: Floats, from: number, width: number): number {
  let squares = 0
  for (let at = from; at < from + width; at++) squares += values[at]! * values[at]!
  return Math.sqrt(squares)
}
