import fc from 'fast-check'
import { expect, it } from 'vitest'
import { walkRows } from './walk-rows.ts'

const hashes = fc.array(fc.oneof(fc.nat(3), fc.nat(2 ** 32 - 1)), { minLength: 1, maxLength: 60 })

it('visits each row of the ring once, by distance and then by the order of the catalogue, and stops when told', () => {
  fc.assert(
    fc.property(hashes, fc.array(fc.nat(59)), fc.nat(2 ** 32 - 1), fc.nat(60), (ties, drawn, start, most) => {
      const rows = Int32Array.from(drawn.map((row) => row % ties.length))
      const tieOf = (row: number): number => ties[row]!
      const before = (a: number, b: number): boolean => tieOf(a) < tieOf(b) || (tieOf(a) === tieOf(b) && a > b)
      const has = (row: number): boolean => row % 5 !== 4
      const distanceOf = (row: number): number => (tieOf(row) - start) >>> 0
      const wanted = [...new Set(rows)]
        .filter(has)
        .toSorted((a, b) => distanceOf(a) - distanceOf(b) || b - a)
        .map((row) => [row, distanceOf(row)])
      const seen: number[][] = []
      const visit = (row: number, distance: number): boolean => seen.push([row, distance]) <= most
      walkRows(rows, { ring: { has }, catalogue: { tieOf, before }, start, visit })
      expect(seen).toEqual(wanted.slice(0, most + 1))
    }),
  )
})
