import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stabilityIndex } from '../metrics/stability.ts'
import { frequentValue, inputStatisticsOf, partEdges, partOf } from './input-statistics.ts'

const ones = (rows: number): Float32Array => new Float32Array(rows).fill(1)

describe('statistics of an input', () => {
  it('give shares of all parts that add up to 1, whatever the values', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 1, 2.5, 7, NaN), { minLength: 1, maxLength: 60 }), (all) => {
        const values = Float32Array.from(all)
        const { count, quantiles, partShares } = inputStatisticsOf(values, ones(all.length))
        if (count === 0) {
          expect(partShares).toEqual([])
          return
        }
        expect(partShares).toHaveLength(partEdges(quantiles).length + 1)
        expect(partShares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
        expect(partShares.at(-1)).toBe(0)
      }),
    )
  })

  it('count rows by their weights', () => {
    const { partShares, missingShare } = inputStatisticsOf(Float32Array.of(1, 2, NaN, 3), Float32Array.of(1, 1, 1, 2))
    expect(partShares).toEqual([0.25, 0.25, 0.5, 0])
    expect(missingShare).toBe(0.25)
  })

  it('name the value that takes up most quantiles', () => {
    expect(frequentValue(inputStatisticsOf(Float32Array.of(0, 0, 0, 0, 0, 0, 4, 5, 6), ones(9)).quantiles)).toBe(0)
    expect(frequentValue([1, 2, 3])).toBeNull()
  })

  it('put a value into the part that its edge closes', () => {
    const edges = partEdges([0, 0, 1, 5])
    expect([-1, 0, 0.5, 1, 5, 6].map((value) => partOf(edges, value))).toEqual([0, 0, 1, 1, 2, 3])
  })
})

describe('stability index', () => {
  it('is 0 for equal distributions, positive otherwise, and finite where a part is empty', () => {
    expect(stabilityIndex([0.5, 0.5, 0], [0.5, 0.5, 0])).toBe(0)
    // (0.8 − 0.5)·ln(0.8/0.5) + (0.2 − 0.5)·ln(0.2/0.5)
    expect(stabilityIndex([0.5, 0.5], [0.8, 0.2])).toBeCloseTo(0.41589, 5)
    expect(stabilityIndex([1, 0], [0, 1])).toBeGreaterThan(10)
    expect(() => stabilityIndex([1], [0.5, 0.5])).toThrow('got 1 and 2 parts')
  })
})
