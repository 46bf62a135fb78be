import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createAgeHeap } from './age-heap.ts'

test('law: rows come out oldest first by the times they have now, however they rose since they were pushed', () => {
  const entry = fc.tuple(fc.nat(50), fc.nat(50))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 80, size: 'max' }), (entries) => {
      const heap = createAgeHeap()
      entries.forEach(([pushedAt], row) => heap.push(row, pushedAt))
      const now = entries.map(([pushedAt, later]) => pushedAt + later)
      const out = entries.map(() => now[heap.popOldest((row) => now[row] ?? 0)])
      expect(out).toEqual([...now].sort((a, b) => a - b))
      expect(heap.popOldest(() => 0)).toBe(-1)
    }),
  )
})
