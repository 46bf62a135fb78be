import fc from 'fast-check'
import { expect, test } from 'vitest'

import { selectBest } from './select.ts'

test('law: selecting is sorting and cutting', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1000), { maxLength: 60, size: 'max' }), fc.nat(70), (entries, limit) => {
      const order = Int32Array.from(entries)
      const count = selectBest(order, { count: order.length, limit }, (a, b) => a > b)
      expect([...order.subarray(0, count)]).toEqual([...entries].sort((a, b) => b - a).slice(0, limit))
    }),
  )
})
