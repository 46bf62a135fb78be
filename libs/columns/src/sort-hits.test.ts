import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createHits } from './score-board.ts'
import { sortBestFirst } from './sort-hits.ts'

test('law: larger scores first, ties by hash, equal hashes by what the catalogue says', () => {
  const entry = fc.tuple(fc.constantFrom(1e-45, 0.5, 1, 3e38, Infinity), fc.constantFrom(0, 1, 0xffffffff))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60, size: 'max' }), (entries) => {
      const tieOf = (row: number): number => entries[row]?.[1] ?? 0
      const before = (a: number, b: number): boolean => tieOf(a) < tieOf(b) || (tieOf(a) === tieOf(b) && a > b)
      const hits = createHits(entries.length)
      const scores = Float32Array.from(entries, ([score]) => score)
      for (let row = 0; row < entries.length; row++) hits.rows[row] = row
      hits.scores.set(scores)
      const expected = [...hits.rows].sort((a, b) =>
        scores[a] !== scores[b] ? (scores[a]! > scores[b]! ? -1 : 1) : before(a, b) ? -1 : 1,
      )
      sortBestFirst({ tieOf, before }, hits, entries.length)
      expect([...hits.rows]).toEqual(expected)
      expect([...hits.scores]).toEqual(expected.map((row) => scores[row]!))
    }),
  )
})
