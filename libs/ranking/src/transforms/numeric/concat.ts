import type { FixedTransform } from '../definition.ts'
import { asNumbers, numbersColumn, type Floats } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkList, widthOf } from '../types.ts'

/** Makes the input of a layer. */
export const concat: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'concat',
  summary: 'All numbers of its arguments, one after the other.',
  formula: '(a₁, …, aₙ, b₁, …)',
  example: 'feature evidence = concat(pin.saves, pin.clicks, pin.embedding)',
  params: noParams,
  typeOf: (args) =>
    checkList(args, 1, 'numbers') ?? { kind: 'vector', size: args.reduce((sum, type) => sum + widthOf(type), 0) },
  evaluate(args, _params, output) {
    let width = 0
    for (const arg of args) width += asNumbers(arg).width
    const to = output.floats(output.rows * width)
    let column = 0
    for (const arg of args) {
      const numbers = asNumbers(arg)
      copyInto(to, column, width, numbers.values, numbers.width, numbers.rows === 1 ? 0 : numbers.width)
      column += numbers.width
    }
    return numbersColumn(output.rows, width, to)
  },
}

/** Copies rows of `width` numbers to the columns from `column` on; a `rowStep` of 0 repeats the first row. */
function copyInto(
  to: Float32Array,
  column: number,
  stride: number,
  from: Floats,
  width: number,
  rowStep: number,
): void {
  for (let start = column, row = 0; start < to.length; start += stride, row += rowStep)
    for (let at = 0; at < width; at++) to[start + at] = from[row + at]!
}
