import type { ValueType } from '../../plan/value-type.ts'
import type { FixedTransform, TypeProblem } from '../definition.ts'
import { asNumbers, numbersColumn, spread } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkArguments, numberByNumber } from '../types.ts'

/** The operator `if … then … else …`. Both sides are computed. */
export const ifThenElse: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'if',
  summary: 'The second argument if the first is true (not 0), else the third; missing if the first is missing.',
  formula: 'a if condition ≠ 0, else b',
  example: 'feature fresh = if pin.age_hours < 24 then 1 else 0',
  params: noParams,
  typeOf(args): ValueType | TypeProblem {
    return checkArguments(args, 'scalar', 'numbers', 'numbers') ?? numberByNumber(args.slice(1))
  },
  evaluate([condition, a, b], _params, output) {
    const width = Math.max(asNumbers(a).width, asNumbers(b).width)
    const decides = spread(condition, 1, output)
    const then = spread(a, width, output)
    const otherwise = spread(b, width, output)
    const to = output.floats(output.rows * width)
    for (let row = 0, at = 0; row < output.rows; row++) {
      const x = decides[row]!
      const from = x === 0 ? otherwise : then
      for (const end = at + width; at < end; at++) to[at] = Number.isNaN(x) ? NaN : from[at]!
    }
    return numbersColumn(output.rows, width, to)
  },
}
