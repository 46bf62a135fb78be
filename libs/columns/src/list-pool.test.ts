import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createListPool } from './list-pool.ts'

test('law: lists of the pool are independent arrays', () => {
  const step = fc.record({
    list: fc.nat(4),
    kind: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'free'),
    index: fc.nat(20),
    key: fc.nat(100),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const pool = createListPool()
      const arrays: number[][] = [[], [], [], [], []]
      for (const { list, kind, index, key } of steps) {
        const array = arrays[list] ?? []
        if (kind === 'insert') {
          const at = Math.min(index, array.length)
          array.splice(at, 0, key)
          pool.insert(list, at, key, key / 2)
        } else if (kind === 'remove' && array.length > 0) {
          const at = index % array.length
          array.splice(at, 1)
          pool.removeAt(list, at)
        } else if (kind === 'free') {
          array.length = 0
          pool.free(list)
        }
      }
      arrays.forEach((array, list) => {
        const start = pool.startOf(list)
        expect([...pool.keys.subarray(start, start + pool.lengthOf(list))]).toEqual(array)
        expect([...pool.times.subarray(start, start + pool.lengthOf(list))]).toEqual(array.map((key) => key / 2))
      })
      expect(pool.entries).toBe(arrays.reduce((sum, array) => sum + array.length, 0))
    }),
  )
})
