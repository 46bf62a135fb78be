import { z } from 'zod'
import { asNames, codesOf, nameOf, positionsIn } from '../categories.ts'
import type { FixedTransform } from '../definition.ts'
import { elementsOf, numbersColumn } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({
  values: z
    .array(z.string())
    .min(1)
    .refine((values) => new Set(values).size === values.length, 'each value once'),
})

/** For the few names of a closed set. A bucket's name is its number. */
export const oneHot: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'one_hot',
  summary:
    'A number for each of the values: 1 for the name, or for each name of a sequence, else 0. Other names have none.',
  formula: '1 if x = valueᵢ, else 0',
  example: 'feature locale = one_hot(user.locale, values: ["en", "de", "fr"])',
  params,
  typeOf: (args, { values }) => checkArguments(args, 'names') ?? { kind: 'vector', size: values.length },
  multiplyAdds: (_args, { values }) => values.length,
  evaluate([x], { values }, output) {
    const names = asNames(elementsOf(x!))
    const codes = codesOf(names)
    const positions = positionsIn(values)
    const width = values.length
    const { rows } = x!
    const to = output.floats(rows * width).fill(0)
    for (let row = 0; row < rows; row++) {
      const start = x!.kind === 'sequences' ? x!.offsets[row]! : row
      const end = x!.kind === 'sequences' ? x!.offsets[row + 1]! : row + 1
      for (let at = start; at < end; at++) {
        const position = codes[at]! < 0 ? undefined : positions.get(nameOf(names, codes[at]!))
        if (position !== undefined) to[row * width + position] = 1
      }
      if (start === end || (x!.kind !== 'sequences' && codes[row]! < 0)) to.fill(NaN, row * width, (row + 1) * width)
    }
    return numbersColumn(rows, width, to)
  },
}
