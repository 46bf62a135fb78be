import type { FixedTransform } from '../definition.ts'
import { asNumbers, numbersColumn, spread } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { comparedVectors } from '../vectors.ts'

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
    const { width } = asNumbers(a)
    const left = spread(a, width, output)
    const right = spread(b, width, output)
    const to = output.floats(output.rows)
    for (let row = 0; row < to.length; row++) {
      let product = 0
      let leftSquares = 0
      let rightSquares = 0
      for (let at = row * width; at < (row + 1) * width; at++) {
        const x = left[at]!
        const y = right[at]!
        product += x * y
        leftSquares += x * x
        rightSquares += y * y
      }
      const length = Math.sqrt(leftSquares) * Math.sqrt(rightSquares)
      to[row] = length === 0 ? 0 : product / length
    }
    return numbersColumn(output.rows, 1, to)
  },
}
