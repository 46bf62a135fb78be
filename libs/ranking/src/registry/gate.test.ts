import { describe, expect, it } from 'vitest'
import { judge, type HeadComparison } from './gate.ts'

const head = (logLoss: number, given: Partial<HeadComparison> = {}): HeadComparison => ({
  rows: 1_000,
  logLoss,
  servingLogLoss: 0.5,
  meanLogLoss: 0.6,
  differenceError: 0,
  auc: null,
  calibration: null,
  deciles: [],
  meanPrediction: 0.1,
  ...given,
})

describe('the gate', () => {
  it.each([
    [
      'better in all heads',
      { save: head(0.4), click: head(0.3) },
      true,
      /^passed the gate: log loss save 0\.4000 \(serving 0\.5000\), click/,
    ],
    ['within the margin', { save: head(0.504) }, true, /^passed/],
    [
      'beyond the margin in one head',
      { save: head(0.4), click: head(0.506) },
      false,
      /^worse by more than 1 %: log loss click 0\.5060 \(serving 0\.5000\)$/,
    ],
    ['beyond the margin, but by chance', { save: head(0.52, { differenceError: 0.03 }) }, true, /^passed/],
    [
      'compared with the mean if nothing served',
      { save: head(0.59, { servingLogLoss: null }) },
      true,
      /\(mean 0\.6000\)/,
    ],
    ['worse than the mean', { save: head(0.7, { servingLogLoss: null }) }, false, /save 0\.7000 \(mean 0\.6000\)/],
    ['worse where nothing happens', { hide: head(0.0003, { servingLogLoss: 0.0001 }) }, true, /^passed/],
    ['worse by less than one row', { hide: head(0.0048, { rows: 300, servingLogLoss: 0.0034 }) }, true, /^passed/],
    ['worse by more than that', { hide: head(0.0048, { servingLogLoss: 0.0034 }) }, false, /^worse/],
    ['not a number', { save: head(Number.NaN) }, false, /^worse/],
    ['without labels', {}, false, /no held-out row/],
  ] as const)('judges a model that is %s', (_, metrics, passed, reason) => {
    expect(judge(new Map(Object.entries(metrics)), 0.01, null)).toMatchObject({
      passed,
      reason: expect.stringMatching(reason) as string,
    })
  })

  const first = new Map([['save', head(0.5, { servingLogLoss: null })]])
  const order = { feeds: 200, ndcg: 0.5, retrievalNdcg: 0.6, differenceError: 0.01 }
  it('rejects a first model whose order is worse than that of retrieval, and says so', () => {
    expect(judge(first, 0.01, order)).toEqual({
      passed: false,
      code: 'worse-than-retrieval',
      reason: 'orders feeds worse than retrieval does: NDCG 0.5000 (retrieval 0.6000) over 200 feeds',
    })
  })

  it.each([
    ['better', { ndcg: 0.7 }],
    ['within the margin', { ndcg: 0.595 }],
    ['worse by chance', { differenceError: 0.06 }],
  ])('lets a first model pass whose order is %s', (_, given) => {
    expect(judge(first, 0.01, { ...order, ...given })).toMatchObject({
      passed: true,
      reason: expect.stringMatching(/; NDCG .* over 200 feeds$/) as string,
    })
  })
})
