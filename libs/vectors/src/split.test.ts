import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { gaussian } from './seeded.fixture.ts'
import { splitInTwo } from './split.ts'

describe('splitInTwo', () => {
  it('parts two clouds', () => {
    const random = mulberry32(1)
    const vectors = new Float32Array(200 * 4)
    for (let row = 0; row < 200; row++)
      vectors.set(
        gaussian(random, 4).map((x) => x + (row % 2) * 20),
        row * 4,
      )
    const sides = splitInTwo(vectors, 4)
    expect(new Set(sides.filter((_, row) => row % 2 === 0)).size).toBe(1)
    expect(new Set(sides.filter((_, row) => row % 2 === 1)).size).toBe(1)
    expect(sides[0]).not.toBe(sides[1])
  })

  it('leaves at least an eighth on each side, whatever it is given', () => {
    const component = fc.constantFrom(0, 1, -1, 1e-20, 1e15, 0.5)
    fc.assert(
      fc.property(fc.array(fc.tuple(component, component), { minLength: 33, maxLength: 80 }), (pairs) => {
        const sides = splitInTwo(Float32Array.from(pairs.flat()), 2)
        const ones = sides.reduce((sum, side) => sum + side, 0)
        expect(Math.min(ones, pairs.length - ones)).toBeGreaterThanOrEqual(pairs.length / 8)
      }),
      { seed: 3 },
    )
  })
})
