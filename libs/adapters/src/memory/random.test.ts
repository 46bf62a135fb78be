import { describe, expect, test } from 'vitest'
import { createSeededRandom } from './random.ts'

describe('seeded random', () => {
  test('equal seeds give equal streams, others do not', () => {
    const stream = (seed: number | string) => {
      const random = createSeededRandom(seed)
      return Array.from({ length: 100 }, () => random.next())
    }
    expect(stream(7)).toEqual(stream(7))
    expect(stream(7)).not.toEqual(stream(8))
    expect(stream('a')).not.toEqual(stream('b'))
  })

  test('stays within [0, 1) and is uniform over 64 bins (chi-square below its 99.99 % quantile)', () => {
    const random = createSeededRandom('uniform')
    const bins = new Float64Array(64)
    const draws = 640_000
    let outside = 0
    for (let i = 0; i < draws; i++) {
      const value = random.next()
      if (!(value >= 0 && value < 1)) outside++
      bins[Math.floor(value * 64)]! += 1
    }
    expect(outside).toBe(0)
    const expected = draws / bins.length
    const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare).toBeLessThan(113)
  })
})
