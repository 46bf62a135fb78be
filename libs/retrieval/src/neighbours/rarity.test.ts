import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createRarities } from './rarity.ts'

test('law: a kept rarity is the one of the formula, whatever was asked before', () => {
  const asked = fc.array(fc.tuple(fc.oneof(fc.nat(20), fc.nat(40_000)), fc.constantFrom(0, 1, 5, 1_000)), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(asked, fc.constantFrom(0, 0.5, 1, 2), (questions, exponent) => {
      const rarityOf = createRarities(exponent)
      for (const [count, all] of questions) {
        expect(rarityOf(count, all)).toBe(Math.log(1 + all / (1 + count)) ** exponent)
      }
    }),
  )
})
