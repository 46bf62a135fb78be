import { z } from 'zod'
import { bucketsOf } from '../buckets.ts'
import type { FittedTransform } from '../definition.ts'
import { asNumbers } from '../numbers.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({ buckets: z.int().min(2).max(4_096) })
const state = z.strictObject({ boundaries: z.array(z.number()) })

/** Buckets that follow the data. Equal quantiles share a boundary, so there can be fewer buckets. */
export const quantiles: FittedTransform<z.output<typeof params>, z.output<typeof state>> = {
  gradient: 'fitted',
  name: 'quantiles',
  summary: 'The number of the bucket, where each bucket has about as many training rows as another.',
  formula: 'the number of quantiles q with q ≤ x',
  example: 'feature age_bucket = quantiles(pin.age_hours, buckets: 16)',
  params,
  state,
  typeOf: (args, { buckets }) => checkArguments(args, 'scalar') ?? { kind: 'index', rows: buckets, hashes: 1 },
  multiplyAdds: (_args, { buckets }) => Math.ceil(Math.log2(buckets)),
  stateProblem: ({ boundaries }, _args, { buckets }) =>
    boundaries.length < buckets ? null : `have ${boundaries.length} boundaries; ${buckets} buckets have fewer`,
  fit([x], { buckets }) {
    const sorted = asNumbers(x)
      .values.filter((value) => !Number.isNaN(value))
      .sort()
    const boundaries = new Set<number>()
    for (let bucket = 1; bucket < buckets; bucket++) {
      const boundary = sorted[Math.floor((bucket * sorted.length) / buckets)]
      // The least number would be the boundary of a bucket without rows.
      if (boundary !== undefined && boundary > sorted[0]!) boundaries.add(boundary)
    }
    return { boundaries: [...boundaries] }
  },
  evaluate: ([x], _params, output, { boundaries }) => bucketsOf(x, boundaries, output),
}
