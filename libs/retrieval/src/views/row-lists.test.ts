import fc from 'fast-check'
import { expect, it } from 'vitest'

import { createRowLists } from './row-lists.ts'

it('lists of rows contain every row that has the word, and stay in proportion to them', () => {
  const step = fc.record({ row: fc.nat(300), words: fc.uniqueArray(fc.nat(2), { maxLength: 2 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const rows = new Map<number, readonly number[]>()
      const lists = createRowLists((word, row) => rows.get(row)?.includes(word) === true)
      for (const { row, words } of steps) {
        const before = rows.get(row) ?? []
        rows.set(row, [])
        for (const word of before) lists.drop(word)
        rows.set(row, words)
        for (const word of words) lists.add(word, row)
      }
      for (const word of [0, 1, 2]) {
        const having = [...rows].filter(([, words]) => words.includes(word)).map(([row]) => row)
        expect(lists.countOf(word)).toBe(having.length)
        const listed = new Set(lists.rowsOf(word))
        expect(having.every((row) => listed.has(row))).toBe(true)
        expect(lists.rowsOf(word).length).toBeLessThanOrEqual(Math.max(34, 2 * having.length + 2))
      }
    }),
  )
})
