import { z } from 'zod'
import { asCategories, placedHashes, scaledHash } from '../categories.ts'
import type { FixedTransform } from '../definition.ts'
import { asSequences } from '../sequences.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({
  rows: z
    .int()
    .min(2)
    .max(2 ** 26),
  topics: z.int().min(1).max(256).default(8),
})

/** A bag of topics without a vocabulary: an embedding of it is the sum of the topics' rows, whatever their order. */
export const hashTopics: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'hash_topics',
  summary: 'Rows of a table for the first `topics` topics of a sequence, as one value.',
  formula: '{⌊rows · hash(topic) / 2³²⌋ : topic in x}',
  example: 'feature topics = embedding(hash_topics(pin.topics, rows: 4096), size: 8)',
  params,
  typeOf: (args, { rows, topics }) =>
    checkArguments(args, 'categorySequence') ?? { kind: 'index', rows, hashes: topics },
  evaluate([x], { rows, topics }, output) {
    const { offsets, elements, rows: length } = asSequences(x)
    const { pairs, places } = placedHashes(asCategories(elements), output)
    const values = output.ints(length * topics)
    for (let row = 0, to = 0; row < length; row++) {
      const end = to + topics
      const last = offsets[row + 1]!
      for (let at = offsets[row]!; at < last && to < end; at++)
        if (places[at]! >= 0) values[to++] = scaledHash(pairs[2 * places[at]!]!, rows)
      while (to < end) values[to++] = -1
    }
    return { kind: 'indices', rows: length, hashes: topics, values }
  },
}
