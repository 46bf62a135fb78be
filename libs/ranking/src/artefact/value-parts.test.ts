import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stabilityIndex } from '../metrics/stability.ts'
import { frequentValue, partEdges, partOf, partSharesOf } from './value-parts.ts'

describe('the parts of values', () => {
  it('have shares that add up to 1, and none above the highest quantile, whatever the values', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 1, 2.5, 7, NaN), { minLength: 1, maxLength: 60 }), (all) => {
        const values = Float32Array.from(all)
        const quantiles = [...values.filter((value) => !Number.isNaN(value)).sort()]
        const shares = partSharesOf(values, quantiles, null)
        expect(shares).toHaveLength(quantiles.length === 0 ? 0 : new Set(quantiles).size + 1)
        if (quantiles.length === 0) return
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
        expect(shares.at(-1)).toBe(0)
      }),
    )
  })

  it('count rows by their weights', () => {
    expect(partSharesOf(Float32Array.of(1, 2, NaN, 3), [1, 2, 3], [1, 1, 1, 2])).toEqual([0.25, 0.25, 0.5, 0])
  })

  it('close with their edges', () => {
    const edges = partEdges([0, 0, 1, 5])
    expect([-1, 0, 0.5, 1, 5, 6].map((value) => partOf(edges, value))).toEqual([0, 0, 1, 1, 2, 3])
  })

  it('name the value that takes up most quantiles', () => {
    expect(frequentValue([0, 0, 0, 0, 4, 5, 6])).toBe(0)
    expect(frequentValue([1, 2, 3])).toBeNull()
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
