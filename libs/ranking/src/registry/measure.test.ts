import { describe, expect, it } from 'vitest'
import type { RowTable } from '../plan/column.ts'
import { finished } from '../plan/pausing.ts'
import type { Plan, PlanHead } from '../plan/plan.ts'
import { meansOf, measureHeads } from './measure.ts'
import { compareOrders } from './order.ts'

const common = { lossWeight: 1, calibrate: 'none' } as const
const head = (name: string, kind: PlanHead['kind'] = 'probability'): PlanHead => ({
  ...common,
  name,
  kind,
  label: name,
  value: name,
})
const heads = [head('save'), head('dwell', 'amount'), head('hide')]
const table: RowTable = {
  rows: 4,
  inputs: new Map(),
  labels: new Map([
    ['save', Float32Array.of(1, 0, 0, NaN)],
    ['dwell', Float32Array.of(Math.E - 1, NaN, 0, NaN)],
    ['hide', new Float32Array(4).fill(NaN)],
  ]),
  weights: Float32Array.of(1, 1, 2, 1),
}
const predicted = [Float64Array.of(0.5, 0.5, 0.25, 0.9), Float64Array.of(0, 0, 0, 0), new Float64Array(4)]

describe('how well a model predicts', () => {
  const means = meansOf(heads, table)
  const found = finished(measureHeads({ heads, table, predicted, serving: [...predicted], means }))

  it('is measured by weight over the rows whose label is known; a head without such rows is left out', () => {
    expect([...found.keys()]).toEqual(['save', 'dwell'])
    const save = found.get('save')!
    expect(save).toMatchObject({ rows: 3, auc: expect.any(Number) as number, differenceError: 0 })
    expect(save.logLoss).toBeCloseTo((2 * Math.log(2) - 2 * Math.log(0.75)) / 4)
    expect(save.servingLogLoss).toBe(save.logLoss)
    expect(save.calibration).toBeCloseTo(1.5)
    expect(save.meanPrediction).toBeCloseTo(1.5 / 4)
    expect(save.deciles.reduce((sum, { weight }) => sum + weight, 0)).toBe(4)
  })

  it('of an amount is the squared error of its logarithm', () => {
    expect(found.get('dwell')).toMatchObject({ rows: 2, auc: null, deciles: [] })
    expect(found.get('dwell')!.logLoss).toBeCloseTo(1 / 3)
  })

  it('is compared with the mean of the training rows, which is never 0 or 1', () => {
    expect(means.get('save')).toBeCloseTo(1.5 / 5)
    expect(Math.log1p(means.get('dwell')!)).toBeCloseTo(1 / 3)
    expect(means.get('hide')).toBe(0.5)
    const alone = finished(measureHeads({ heads, table, predicted, serving: null, means })).get('save')!
    expect(alone.servingLogLoss).toBeNull()
    expect(alone.meanLogLoss).toBeCloseTo((-Math.log(0.3) - 3 * Math.log(0.7)) / 4)
    expect(alone.differenceError).toBeGreaterThan(0)
  })
})

describe('the order of a model against that of retrieval', () => {
  const plan = {
    heads,
    utility: [
      { head: 'save', weight: 4 },
      { head: 'hide', weight: -10 },
    ],
  } as unknown as Plan
  const labels = new Map([
    ['save', Float32Array.of(0, 1, 1, 0, 0, 0)],
    ['hide', Float32Array.of(1, 0, 0, 0, 0, 0)],
  ])
  const rows = {
    utilities: Float64Array.of(1, 2, 2, 1, 0, 0),
    retrievalScores: Float64Array.of(2, 1, 2, 1, 5, 4),
    labels,
    feedSizes: [2, 2, 2],
  }

  it('is compared in the feeds in which somebody did something of worth', () => {
    const found = compareOrders(plan, rows)!
    expect(found).toMatchObject({ feeds: 2, ndcg: 1 })
    expect(found.retrievalNdcg).toBeCloseTo((1 / Math.log2(3) + 1) / 2)
    expect(found.differenceError).toBeGreaterThan(0)
  })

  it('is not compared where retrieval scores are not recorded', () => {
    const retrievalScores = rows.retrievalScores.map((score, row) => (row === 0 ? NaN : score))
    expect(compareOrders(plan, { ...rows, retrievalScores })).toMatchObject({ feeds: 1 })
    expect(compareOrders(plan, { ...rows, retrievalScores: new Float64Array(6).fill(NaN) })).toBeNull()
  })
})
