import { describe, expect, it } from 'vitest'
import type { Column } from '../plan/column.ts'
import { finished } from '../plan/pausing.ts'
import { planStatisticsOf } from './plan-statistics.ts'
import { inputStatistics } from './manifest.ts'

const categories = { kind: 'categories', rows: 4, codes: Int32Array.of(0, 0, -1, 0), names: ['a'] } as const
const inputs = new Map<string, Column>([
  ['age', { kind: 'numbers', rows: 4, width: 1, values: Float32Array.of(0, 0, NaN, 3) }],
  ['pair', { kind: 'numbers', rows: 4, width: 2, values: Float32Array.of(1, 10, 3, 10, 1, 10, 3, 10) }],
  ['creator', categories],
  ['topics', { kind: 'sequences', rows: 4, offsets: Int32Array.of(0, 2, 2, 3, 4), elements: categories }],
])

describe('statistics of inputs', () => {
  const found = finished(planStatisticsOf({ rows: 4, inputs, weights: Float32Array.of(1, 1, 1, 3) }))

  it('say how numbers were distributed, each number of a vector on its own', () => {
    expect(found['age']).toMatchObject({ count: 3, mean: 1, missingShare: 0.25, mostFrequentShare: 0.5 })
    expect(found['age']!.quantiles).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3])
    expect(found['age']!.partShares).toEqual([0.4, 0.6, 0].map((share) => expect.closeTo(share) as number))
    expect(found['pair.0']).toMatchObject({ mean: 2, standardDeviation: 1 })
    expect(found['pair.1']).toMatchObject({ mean: 10, standardDeviation: 0, mostFrequentShare: 1 })
  })

  it('say of texts how many rows have one, and the share of the most frequent', () => {
    expect(found['creator']).toMatchObject({ count: 3, missingShare: 0.25, mostFrequentShare: 0.75, quantiles: [] })
    expect(found['topics']).toMatchObject({ count: 3, missingShare: 0.25 })
  })

  it('are those that a manifest holds', () => {
    for (const each of Object.values(found)) expect(inputStatistics.parse(each)).toEqual(each)
  })
})
