import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { areaUnderCurve } from './auc.ts'
import { calibrationReport } from './calibration-table.ts'
import { rankingMetrics, type GroupedScores } from './grouped.ts'
import { LabelledScoresError } from './labelled.ts'
import { logLoss } from './log-loss.ts'
import { labelled, sklearnCases } from './testing.ts'

const probability = (score: number): number => 1 / (1 + Math.exp(-score))
const cases = sklearnCases.binary.map((golden, number) => ({ number, ...golden }))

describe('metrics of labelled rows', () => {
  it.each(cases)('case $number has the AUC of scikit-learn', ({ scores, labels, weights, auc }) => {
    expect(areaUnderCurve(labelled(scores, labels, weights))).toBeCloseTo(auc, 12)
  })

  it.each(cases)(
    'case $number has the log loss and ratio of scikit-learn',
    ({ scores, labels, weights, ...expected }) => {
      const rows = labelled(scores.map(probability), labels, weights)
      expect(logLoss(rows)).toBeCloseTo(expected.logLoss, 12)
      expect(calibrationReport(rows).ratio).toBeCloseTo(expected.ratio, 12)
    },
  )

  const row = fc.record({
    score: fc.integer({ min: -5, max: 5 }),
    label: fc.constantFrom(0, 1),
    weight: fc.integer({ min: 1, max: 4 }),
  })

  it('AUC counts a row of weight n like n rows', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        const repeated = rows.flatMap(({ weight, ...rest }) => Array<typeof rest>(weight).fill(rest))
        const byWeight = areaUnderCurve(
          labelled(
            rows.map((r) => r.score),
            rows.map((r) => r.label),
            rows.map((r) => r.weight),
          ),
        )
        const byRows = areaUnderCurve(
          labelled(
            repeated.map((r) => r.score),
            repeated.map((r) => r.label),
          ),
        )
        if (byRows === null) expect(byWeight).toBeNull()
        else expect(byWeight).toBeCloseTo(byRows, 12)
      }),
    )
  })

  it('AUC and the opposite scores’ AUC are 1 together', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        const labels = rows.map(({ label }) => label)
        const [up, down] = [1, -1].map((sign) =>
          areaUnderCurve(
            labelled(
              rows.map(({ score }) => sign * score),
              labels,
            ),
          ),
        )
        if (up === null) expect(down).toBeNull()
        else expect(up! + down!).toBeCloseTo(1, 12)
      }),
    )
  })

  it('log loss clips sure predictions at 1e-7', () => {
    expect(logLoss(labelled([0, 1], [1, 1]))).toBeCloseTo(-(Math.log(1e-7) + Math.log(1 - 1e-7)) / 2, 12)
  })

  it('the calibration table contains every row once, in rising groups', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), fc.integer({ min: 1, max: 12 }), (rows, count) => {
        const p = rows.map(({ score }) => probability(score))
        const weights = rows.map(({ weight }) => weight)
        const { groups } = calibrationReport(
          labelled(
            p,
            rows.map(({ label }) => label),
            weights,
          ),
          count,
        )
        expect(groups.length).toBeLessThanOrEqual(count)
        expect(groups.reduce((sum, group) => sum + group.rows, 0)).toBe(rows.length)
        expect(groups.reduce((sum, { weight }) => sum + weight, 0)).toBe(weights.reduce((sum, weight) => sum + weight))
        groups.slice(1).forEach((group, at) => expect(group.predicted).toBeGreaterThan(groups[at]!.predicted))
      }),
    )
  })

  it('100 different predictions make deciles of 10 rows each', () => {
    const p = Array.from({ length: 100 }, (_, at) => ((at * 37) % 100) / 100)
    const { groups } = calibrationReport(
      labelled(
        p,
        p.map((value) => (value < 0.3 ? 0 : 1)),
      ),
    )
    expect(groups.map(({ rows, observed }) => [rows, observed])).toEqual(
      Array.from({ length: 10 }, (_, decile) => [10, decile < 3 ? 0 : 1]),
    )
    expect(groups[4]!.predicted).toBeCloseTo(0.445, 12)
  })

  it.each([
    [labelled([], []), 'there are no rows'],
    [labelled([1, NaN], [2, 0]), 'the score of row 1 is NaN; expected a finite number; the label of row 0 is 2'],
    [labelled([1], [1], [-1]), 'the weight of row 0 is -1'],
    [labelled([1, 2], [1, 0], [0, 0]), 'all weights are 0'],
    [labelled([1, 2], [1], [1]), 'there are 1 labels for 2 scores; there are 1 weights for 2 scores'],
  ])('rows %# are refused by name', (rows, message) => {
    for (const metric of [areaUnderCurve, logLoss, calibrationReport]) {
      expect(() => metric(rows)).toThrow(message)
      expect(() => metric(rows)).toThrow(LabelledScoresError)
    }
  })
})

describe('metrics of ranked groups', () => {
  interface PlainGroups {
    readonly scores: readonly number[]
    readonly labels: readonly number[]
    readonly groupSizes: readonly number[]
  }
  const typed = (given: PlainGroups): GroupedScores => ({
    ...given,
    scores: Float64Array.from(given.scores),
    labels: Float64Array.from(given.labels),
  })

  it.each(sklearnCases.grouped)('NDCG@$k is that of scikit-learn', ({ k, ndcg, ...rows }) => {
    expect(rankingMetrics(typed(rows), k)!.ndcg).toBeCloseTo(ndcg, 12)
  })

  it('MRR counts ties against the ranking, and leaves out groups without a relevant row', () => {
    const rows = { scores: [3, 2, 1, 5, 5, 1, 9], labels: [0, 1, 1, 0, 1, 0, 0], groupSizes: [3, 3, 1] }
    expect(rankingMetrics(typed(rows), 10)).toMatchObject({ mrr: (1 / 2 + 1 / 2) / 2, groups: 2 })
    expect(rankingMetrics(typed(rows), 1)).toMatchObject({ mrr: 0 })
    expect(rankingMetrics(typed({ ...rows, labels: Array<number>(7).fill(0) }), 10)).toBeNull()
  })
})
