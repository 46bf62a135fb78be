import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createKeyTable } from './key-table.ts'

test('law: a key table is a map', () => {
  const key = fc.integer({ min: 0, max: 40 })
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, row: fc.nat(1000) }),
    fc.record({ kind: fc.constant('delete' as const), key, row: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.nat(3), (steps, spread) => {
      const table = createKeyTable()
      const map = new Map<number, number>()
      // Few distinct low halves make long probe chains.
      const low = (k: number): number => (spread === 0 ? 7 : (k * 1024) >>> spread)
      for (const { kind, key: k, row } of steps) {
        if (kind === 'set') {
          table.set(k, low(k), row)
          map.set(k, row)
        } else {
          table.delete(k, low(k))
          map.delete(k)
        }
      }
      expect(table.size).toBe(map.size)
      for (let k = 0; k <= 40; k++) expect(table.get(k, low(k))).toBe(map.get(k) ?? -1)
    }),
  )
})

test('grows past its first capacity and keeps every key', () => {
  const table = createKeyTable()
  for (let i = 0; i < 10_000; i++) table.set(i, 0xffffffff - i, i)
  for (let i = 0; i < 10_000; i++) expect(table.get(i, 0xffffffff - i)).toBe(i)
  expect(table.bytes()).toBeGreaterThanOrEqual(10_000 * 12)
})
