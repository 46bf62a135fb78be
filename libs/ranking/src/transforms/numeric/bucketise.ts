import { z } from 'zod'
import { bucketsOf } from '../buckets.ts'
import type { FixedTransform } from '../definition.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({
  boundaries: z
    .array(z.number())
    .min(1)
    .refine((all) => all.every((x, at) => at === 0 || all[at - 1]! < x), 'boundaries must rise'),
})

/** For numbers whose effect is not monotone, such as an hour of the day. */
export const bucketise: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'bucketise',
  summary: 'The number of the bucket between two boundaries, for an embedding, a cross or `one_hot`.',
  formula: 'the number of boundaries b with b ≤ x',
  example: 'feature age_bucket = bucketise(pin.age_hours, boundaries: [1, 24, 168])',
  params,
  typeOf: (args, { boundaries }) =>
    checkArguments(args, 'scalar') ?? { kind: 'index', rows: boundaries.length + 1, hashes: 1 },
  multiplyAdds: (_args, { boundaries }) => Math.ceil(Math.log2(boundaries.length + 1)),
  evaluate: ([x], { boundaries }, output) => bucketsOf(x, boundaries, output),
}
