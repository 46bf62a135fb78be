import type { FixedTransform } from '../definition.ts'
import { asNumbers, numbersColumn, spread } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkArguments } from '../types.ts'

/** How sure an embedding is: those of rare pins are often short. */
export const norm: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'norm',
  summary: 'Euclidean length of a vector.',
  formula: '√Σ xᵢ²',
  example: 'feature sure = norm(pin.embedding)',
  params: noParams,
  typeOf: (args) => checkArguments(args, 'vector') ?? { kind: 'scalar' },
  evaluate([x], _params, output) {
    const { width } = asNumbers(x)
    const values = spread(x, width, output)
    const to = output.floats(output.rows)
    for (let row = 0, at = 0; row < to.length; row++) {
      let squares = 0
      for (const end = at + width; at < end; at++) squares += values[at]! ** 2
      to[row] = Math.sqrt(squares)
    }
    return numbersColumn(output.rows, 1, to)
  },
}
