import { z } from 'zod'
import { asCategories, positionsIn } from '../categories.ts'
import type { FittedTransform } from '../definition.ts'
import { elementsOf } from '../numbers.ts'
import { checkArguments, withElements } from '../types.ts'

const params = z.strictObject({
  min_count: z.int().min(1).default(1),
  max: z
    .int()
    .min(1)
    .max(2 ** 24)
    .default(100_000),
})
const state = z.strictObject({ names: z.array(z.string()) })

/** A row of a table of its own for each name that is frequent in the training rows. */
export const vocabulary: FittedTransform<z.output<typeof params>, z.output<typeof state>> = {
  gradient: 'fitted',
  name: 'vocabulary',
  summary:
    'Row 1, 2, … for names that at least `min_count` training rows have, the most frequent first; row 0 for all others.',
  formula: '1 + rank of x by frequency, or 0',
  example: 'feature creator = embedding(vocabulary(pin.creator, min_count: 5), size: 8)',
  params,
  state,
  typeOf: (args, { max }) =>
    checkArguments(args, 'categories') ?? withElements(args[0]!, { kind: 'index', rows: max + 1, hashes: 1 }),
  stateProblem: ({ names }, _args, { max }) =>
    names.length <= max ? null : `have ${names.length} names; the vocabulary has at most ${max}`,
  fit([x], { min_count: least, max }) {
    const { codes, names } = asCategories(elementsOf(x!))
    const counts = new Map<string, number>()
    for (let at = 0; at < codes.length; at++) {
      if (codes[at]! < 0) continue
      const name = names[codes[at]!]!
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    const frequent = [...counts].filter(([, count]) => count >= least)
    // By name where counts are equal, so that the order of rows does not matter.
    frequent.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    return { names: frequent.slice(0, max).map(([name]) => name) }
  },
  evaluate([x], _params, output, { names: known }) {
    const { codes, names } = asCategories(elementsOf(x!))
    const values = output.ints(codes.length)
    const positions = positionsIn(known)
    for (let at = 0; at < codes.length; at++)
      values[at] = codes[at]! < 0 ? -1 : (positions.get(names[codes[at]!]!) ?? -1) + 1
    const elements = { kind: 'indices', rows: codes.length, hashes: 1, values } as const
    return x!.kind === 'sequences' ? { ...x!, elements } : elements
  },
}
