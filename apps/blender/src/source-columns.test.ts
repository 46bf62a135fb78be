import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foundColumns, foundCount, sourcesOf } from './source-columns.ts'

const size = 20
/** What up to 32 sources found among 20 rows: each row at most once. */
const anySources = fc.array(fc.uniqueArray(fc.nat(size - 1)), { minLength: 1, maxLength: 32 })

function columnsOf(found: readonly (readonly number[])[]) {
  const foundBy = new Uint32Array(size)
  for (const [at, rows] of found.entries()) for (const row of rows) foundBy[row]! |= 1 << at
  const foundBySource = found.map((rows, at) => ({
    name: `source-${at}`,
    rows: Uint16Array.from(rows),
    ranks: null,
    scores: Float32Array.from(rows, (row) => row + 100 * at),
  }))
  return { foundBy, foundBySource }
}

test('a law: each row has the rank and the score of each source that found it, in the order of sources', () => {
  fc.assert(
    fc.property(anySources, fc.uniqueArray(fc.nat(size - 1)), (found, rows) => {
      const columns = columnsOf(found)
      const expected = rows.flatMap((row) =>
        found.flatMap((its, at) => (its.includes(row) ? [[its.indexOf(row), row + 100 * at]] : [])),
      )
      // The second call reads what the first one collected.
      for (let call = 0; call < 2; call++) {
        const { foundBy, ranks, scores } = foundColumns(columns, Int32Array.from(rows))
        expect(Array.from(ranks, (rank, i) => [rank, scores[i]])).toEqual(expected)
        expect(Array.from(foundBy)).toEqual(rows.map((row) => columns.foundBy[row]))
        expect(foundCount(foundBy)).toBe(expected.length)
      }
    }),
  )
})

test('a law: the sources of all rows come back from what was collected', () => {
  fc.assert(
    fc.property(anySources, (found) => {
      const { foundBy, foundBySource } = columnsOf(found)
      const all = Int32Array.from({ length: size }, (_, row) => row)
      const names = foundBySource.map(({ name }) => name)
      const again = sourcesOf(names, foundColumns({ foundBy, foundBySource }, all))
      const sorted = found.map((rows) => [...rows].sort((a, b) => a - b))
      if (again.length > 0) expect(again.map(({ rows }) => [...rows])).toEqual(sorted)
    }),
  )
})

test('without what each source found, ranks are not known', () => {
  const found = foundColumns({ foundBy: Uint32Array.of(1, 3), foundBySource: [] }, Int32Array.of(1))
  expect([...found.foundBy, found.ranks.length, found.scores.length]).toEqual([3, 0, 0])
})
