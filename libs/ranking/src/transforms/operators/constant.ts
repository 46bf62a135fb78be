import { z } from 'zod'
import type { FixedTransform } from '../definition.ts'
import { numbersColumn } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ value: z.union([z.number(), z.string()]) })

/** What a number or a text in a formula compiles to. */
export const constant: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'constant',
  summary: 'A number or a name that is written in the spec.',
  formula: 'value',
  example: 'const half = 0.5',
  params,
  typeOf: (args, { value }) =>
    checkArguments(args) ?? (typeof value === 'number' ? { kind: 'scalar' } : { kind: 'category' }),
  multiplyAdds: () => 0,
  evaluate(_args, given, output) {
    const { value } = given
    if (typeof value === 'number') return numbersColumn(1, 1, output.floats(1).fill(value))
    const names = lists.get(given) ?? [value]
    lists.set(given, names)
    return { kind: 'categories', rows: 1, codes: output.ints(1).fill(0), names }
  },
}

/** One list per node, so that its hash is computed once. */
const lists = new WeakMap<z.output<typeof params>, readonly string[]>()
