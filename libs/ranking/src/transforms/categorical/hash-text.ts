import { hash32 } from '@freshet/domain/hash'
import { z } from 'zod'
import { asCategories, hashedRow } from '../categories.ts'
import type { FixedTransform } from '../definition.ts'
import { checkArguments } from '../types.ts'

const params = z.strictObject({
  rows: z
    .int()
    .min(2)
    .max(2 ** 26),
  words: z.int().min(1).max(256).default(16),
})

/** A bag of words without a vocabulary: an embedding of it is the sum of the words' rows (Weinberger et al. 2009). */
export const hashText: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'hash_text',
  summary: 'Rows of a table for the first `words` different words of a text. Case does not matter.',
  formula: '{⌊rows · hash(word) / 2³²⌋ : word in text}',
  example: 'feature title = embedding(hash_text(pin.title, rows: 32768), size: 16)',
  params,
  typeOf: (args, { rows, words }) => checkArguments(args, 'category') ?? { kind: 'index', rows, hashes: words },
  evaluate([x], { rows, words }, output) {
    const { codes, names } = asCategories(x)
    const values = output.ints(codes.length * words).fill(-1)
    for (let row = 0; row < codes.length; row++) {
      if (codes[row]! < 0) continue
      let written = row * words
      for (const word of wordsOf(names[codes[row]!]!)) {
        if (written === (row + 1) * words) break
        values[written++] = hashedRow(hash32(word), 0, 0, rows)
      }
    }
    return { kind: 'indices', rows: codes.length, hashes: words, values }
  },
}

/** The different words of a text: runs of letters and digits, in their order. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu),
  )
}
