import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

describe('metrics', () => {
  it('gives HR, MRR and NDCG of single targets as the protocol defines them', () => {
    const metrics = createMetrics([2, 5])
    metrics.add({ ranks: [1], group: null, top: ['a'] })
    metrics.add({ ranks: [3], group: null, top: ['b'] })
    metrics.add({ ranks: [0], group: null, top: ['a'] })
    const figures = metrics.total()
    expect(figures['hr@2']).toBeCloseTo(1 / 3)
    expect(figures['hr@5']).toBeCloseTo(2 / 3)
    expect(figures['mrr@2']).toBeCloseTo(1 / 3)
    expect(figures['mrr@5']).toBeCloseTo((1 + 1 / 3) / 3)
    expect(figures['ndcg@5']).toBeCloseTo((1 + 1 / Math.log2(4)) / 3)
  })

  it('counts recall if a question has several targets', () => {
    const metrics = createMetrics([10])
    metrics.add({ ranks: [1, 0, 4], group: null, top: [] })
    expect(metrics.total()['hr@10']).toBeCloseTo(2 / 3)
    expect(metrics.total()['mrr@10']).toBe(1)
  })

  it('gives each group the same weight in the mean over groups', () => {
    const metrics = createMetrics([1])
    for (let i = 0; i < 9; i++) metrics.add({ ranks: [1], group: 'large', top: [] })
    metrics.add({ ranks: [0], group: 'small', top: [] })
    expect(metrics.total()['hr@1']).toBeCloseTo(0.9)
    expect(metrics.meanOverGroups()['hr@1']).toBeCloseTo(0.5)
    expect(metrics.byGroup()['large']).toMatchObject({ questions: 9, 'hr@1': 1 })
  })

  it('counts the different pins shown among the first k', () => {
    const metrics = createMetrics([1, 2])
    metrics.add({ ranks: [0], group: null, top: ['a', 'b'] })
    metrics.add({ ranks: [0], group: null, top: ['a', 'c'] })
    expect(metrics.coverage()).toEqual({ 'coverage@1': 1, 'coverage@2': 3 })
  })
})
