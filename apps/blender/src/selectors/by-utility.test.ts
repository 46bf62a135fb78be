import { hash32 } from '@freshet/domain/hash'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bestFirst } from './by-utility.ts'

test('a law: the order is that of utility plus exploration, then of a seeded hash of the pin id, then of the row', () => {
  const value = fc.oneof(fc.constantFrom(-0, 0, 1), fc.float({ noNaN: true, noDefaultInfinity: true }))
  const candidate = fc.record({ pinId: fc.constantFrom('a', 'b', 'c', 'd'), utility: value, added: value })
  fc.assert(
    fc.property(fc.array(candidate), fc.boolean(), fc.nat(), (candidates, explores, seed) => {
      const pinIds = candidates.map(({ pinId }) => pinId)
      const utilities = Float32Array.from(candidates, ({ utility }) => utility)
      const exploration = explores ? Float32Array.from(candidates, ({ added }) => added) : null
      const rows = Int32Array.from(candidates.keys()).filter((row) => row % 3 !== 1)
      const drawn = Float32Array.from(utilities, (utility, row) => utility + (exploration?.[row] ?? 0))
      const tie = (row: number) => hash32(pinIds[row]!, seed)
      const expected = [...rows].sort((a, b) => drawn[b]! - drawn[a]! || tie(a) - tie(b) || a - b)
      expect([...bestFirst(rows, { utilities, pinIds, exploration }, seed)]).toEqual(expected)
    }),
  )
})
