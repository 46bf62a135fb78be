import { describe, expect, it } from 'vitest'
import { between, merged, quantile, type Histogram } from './histogram.ts'

const of = (...counts: readonly number[]): Histogram => ({
  count: counts.at(-1) ?? 0,
  sum: 1,
  buckets: counts.map((count, at) => ({ upTo: [0.1, 0.2, 0.4, null][at] ?? null, count })),
})

describe('a histogram', () => {
  it('has quantiles within its buckets, and none without measurements', () => {
    expect(quantile(of(0, 10, 10, 10), 0.5)).toBeCloseTo(0.15)
    expect(quantile(of(10, 20, 20, 20), 0.99)).toBeCloseTo(0.198)
    expect(quantile(of(0, 0, 0, 10), 0.5)).toBe(0.4)
    expect(quantile(of(0, 0, 0, 0), 0.5)).toBeNull()
  })

  it('of a time is the difference of two readings, unless the process began again', () => {
    expect(between(of(1, 2, 3, 4), of(1, 5, 6, 8)).buckets.map(({ count }) => count)).toEqual([0, 3, 3, 4])
    expect(between(of(9, 9, 9, 9), of(1, 2, 2, 2)).count).toBe(2)
    expect(between(null, of(1, 2, 2, 2)).count).toBe(2)
  })

  it('is the sum over processes', () => {
    expect(merged([null, of(1, 1, 1, 1), of(0, 2, 2, 2)])?.buckets.map(({ count }) => count)).toEqual([1, 3, 3, 3])
    expect(merged([null])).toBeNull()
  })
})
