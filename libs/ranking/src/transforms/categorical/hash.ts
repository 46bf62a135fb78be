import { z } from 'zod'
import { asNames, codesOf, hashedRow, hashPairs } from '../categories.ts'
import type { FixedTransform } from '../definition.ts'
import { elementsOf } from '../numbers.ts'
import { checkArguments, withElements } from '../types.ts'

const params = z.strictObject({
  rows: z
    .int()
    .min(2)
    .max(2 ** 26),
  hashes: z.int().min(1).max(8).default(2),
})

/**
 * Rows of a table for a name, without a vocabulary (Weinberger et al. 2009). With two hash functions whose rows are added, two
 * names share both rows with a chance of 1 / rows² only (Svenstrup et al. 2017, "Hash embeddings").
 */
export const hash: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'hash',
  summary: 'Rows of a table for a name of an open set, by as many hash functions as `hashes`.',
  formula: '⌊rows · hashₖ(name) / 2³²⌋ for k < hashes',
  example: 'feature creator = embedding(hash(pin.creator, rows: 65536), size: 8)',
  params,
  typeOf: (args, { rows, hashes }) =>
    checkArguments(args, 'names') ?? withElements(args[0]!, { kind: 'index', rows, hashes }),
  evaluate([x], { rows, hashes }, output) {
    const names = asNames(elementsOf(x!))
    const codes = codesOf(names)
    const pairs = hashPairs(names, output)
    const values = output.ints(codes.length * hashes)
    for (let at = 0; at < codes.length; at++) {
      const missing = codes[at]! < 0
      for (let which = 0; which < hashes; which++)
        values[at * hashes + which] = missing ? -1 : hashedRow(pairs[2 * at]!, pairs[2 * at + 1]!, which, rows)
    }
    const elements = { kind: 'indices', rows: codes.length, hashes, values } as const
    return x!.kind === 'sequences' ? { ...x!, elements } : elements
  },
}
