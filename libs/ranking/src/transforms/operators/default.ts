import type { Column } from '../../plan/column.ts'
import type { ValueType } from '../../plan/value-type.ts'
import { asCategories } from '../categories.ts'
import type { FixedTransform, Output, TypeProblem } from '../definition.ts'
import { asNumbers, numbersColumn, spread } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkArguments, numberByNumber } from '../types.ts'

/** Replaces what is missing. */
export const defaultTo: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'default',
  summary: 'The first argument, or where it is missing the second: two numbers, vectors or categories.',
  formula: 'a if a is there, else b',
  example: 'feature saves = default(pin.saves, 0)',
  params: noParams,
  typeOf(args): ValueType | TypeProblem {
    if (args[0]?.kind === 'category') return checkArguments(args, 'category', 'category') ?? args[0]
    return checkArguments(args, 'numbers', 'numbers') ?? numberByNumber(args)
  },
  evaluate([a, b], _params, output) {
    if (a?.kind === 'categories') return defaultName(a, asCategories(b), output)
    const width = Math.max(asNumbers(a).width, asNumbers(b).width)
    const values = spread(a, width, output)
    const others = spread(b, width, output)
    const to = output.floats(output.rows * width)
    for (let at = 0; at < to.length; at++) to[at] = Number.isNaN(values[at]) ? others[at]! : values[at]!
    return numbersColumn(output.rows, width, to)
  },
}

type Categories = ReturnType<typeof asCategories>

/** The row's name in a dictionary of the result's own: one entry per row, so that no two dictionaries have to be joined. */
function defaultName(a: Categories, b: Categories, output: Output): Column {
  const { rows } = output
  const codes = output.ints(rows)
  const names = Array.from<string>({ length: rows }).fill('')
  for (let row = 0; row < rows; row++) {
    const code = a.codes[a.rows === 1 ? 0 : row]!
    const from = code >= 0 ? a : b
    const chosen = code >= 0 ? code : b.codes[b.rows === 1 ? 0 : row]!
    codes[row] = chosen < 0 ? -1 : row
    if (chosen >= 0) names[row] = from.names[chosen]!
  }
  return { kind: 'categories', rows, codes, names }
}
