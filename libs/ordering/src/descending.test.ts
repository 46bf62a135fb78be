import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placesDescending } from './descending.ts'

test('gives the places of any numbers as a sort with a function does', () => {
  const number = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity))
  fc.assert(
    fc.property(fc.array(number, { maxLength: 300 }), (given) => {
      const values = Float32Array.from(given)
      const sorted = Array.from(values.keys()).sort((a, b) =>
        values[a] === values[b] ? a - b : values[b]! > values[a]! ? 1 : -1,
      )
      expect(Array.from(placesDescending(values))).toEqual(sorted)
    }),
    { numRuns: 500, seed: 2 },
  )
})
