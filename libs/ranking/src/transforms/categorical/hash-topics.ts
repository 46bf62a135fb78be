import { z } from 'zod'
import { asCategories, hashedRow, hashPairs } from '../categories.ts'
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
    const { codes } = asCategories(elements)
    const pairs = hashPairs(asCategories(elements), output)
    const values = output.ints(length * topics).fill(-1)
    for (let row = 0; row < length; row++) {
      let written = row * topics
      const most = written + topics
      for (let at = offsets[row]!; at < offsets[row + 1]! && written < most; at++)
        if (codes[at]! >= 0) values[written++] = hashedRow(pairs[2 * at]!, pairs[2 * at + 1]!, 0, rows)
    }
    return { kind: 'indices', rows: length, hashes: topics, values }
  },
}
