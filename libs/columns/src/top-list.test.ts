import fc from 'fast-check'
import { expect, test } from 'vitest'

import { aRowOrder } from './row-order.fixture.ts'
import { createTopList } from './top-list.ts'

test('law: as keys rise the list holds exactly the largest', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 })), {
        maxLength: 120,
        size: 'max',
      }),
      (raises) => {
        const order = aRowOrder(Array.from({ length: 21 }, (_, i) => `p${i}`))
        const keys = new Float64Array(21)
        const list = createTopList({
          order,
          maxListed: 6,
          keyOf: (row) => keys[row] ?? 0,
          admits: (row) => row !== 3,
        })
        for (const [row, by] of raises) {
          keys[row] = (keys[row] ?? 0) + by
          list.raised(row)
        }
        const expected = [...keys.keys()]
          .filter((row) => keys[row] !== 0 && row !== 3)
          .sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || (order.before(a, b) ? -1 : 1))
          .slice(0, 6)
        const listed = Array.from({ length: list.size }, (_, i) => list.rowAt(i))
        expect(listed.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b))
      },
    ),
  )
})

test('a deleted pin leaves the list, and a pin that it kept out returns', () => {
  const order = aRowOrder(Array.from({ length: 20 }, (_, i) => `p${i}`))
  const deleted = new Set<number>()
  const keys = Float64Array.from({ length: 21 }, (_, i) => i)
  const list = createTopList({
    order,
    maxListed: 8,
    keyOf: (row) => keys[row] ?? 0,
    admits: (row) => !deleted.has(row),
  })
  for (let i = 0; i < 20; i++) list.raised(i)
  for (let row = 19; row > 10; row--) {
    deleted.add(row)
    list.changed(row)
  }
  const listed = Array.from({ length: list.size }, (_, i) => list.rowAt(i))
  expect(Math.max(...listed)).toBe(10)
  expect(list.size).toBeGreaterThanOrEqual(6)
})
