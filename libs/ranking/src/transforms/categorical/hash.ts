import { z } from 'zod'
import { asNames, hashedRow, placedHashes, scaledHash } from '../categories.ts'
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
    const { pairs, places } = placedHashes(names, output)
    const values = output.ints(places.length * hashes)
    for (let at = 0, to = 0; at < places.length; at++, to += hashes) {
      const place = places[at]!
      if (place < 0) {
        values.fill(-1, to, to + hashes)
        continue
      }
      const first = pairs[2 * place]!
      values[to] = scaledHash(first, rows)
      if (hashes === 1) continue
      const second = pairs[2 * place + 1]!
      values[to + 1] = scaledHash(second, rows)
      for (let which = 2; which < hashes; which++) values[to + which] = hashedRow(first, second, which, rows)
    }
    const elements = { kind: 'indices', rows: places.length, hashes, values } as const
    return x!.kind === 'sequences' ? { ...x!, elements } : elements
  },
}
