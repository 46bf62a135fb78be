import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTally } from './tally.ts'

test('a law: it counts like a map, for any keys', () => {
  const key = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 2 ** 32 - 1 }))
  fc.assert(
    fc.property(fc.array(key), (keys) => {
      const tally = createTally(keys.length)
      const counts = new Map<number, number>()
      for (const each of keys) {
        expect(tally.count(each)).toBe(counts.get(each) ?? 0)
        tally.add(each)
        counts.set(each, (counts.get(each) ?? 0) + 1)
      }
      for (const [each, count] of counts) expect(tally.count(each)).toBe(count)
    }),
  )
})
