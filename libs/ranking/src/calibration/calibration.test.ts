import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { labelled, sklearnCases } from '../metrics/testing.ts'
import { fitIsotonic, isotonicProbabilities, type IsotonicCalibration } from './isotonic.ts'
import { fitPlatt, plattProbabilities } from './platt.ts'

const cases = sklearnCases.binary.map((golden, number) => ({ number, ...golden }))

function probabilitiesOf(curve: IsotonicCalibration, scores: readonly number[]): Float64Array {
  const out = new Float64Array(scores.length)
  isotonicProbabilities(curve, Float64Array.from(scores), out)
  return out
}

describe('Platt calibration', () => {
  it.each(cases)('case $number has the probabilities of scikit-learn', ({ scores, labels, weights, asked, platt }) => {
    const out = Float64Array.from(asked)
    plattProbabilities(fitPlatt(labelled(scores, labels, weights)), out, out)
    out.forEach((value, at) => expect(value).toBeCloseTo(platt[at]!, 4))
  })

  it('finds the curve that made the labels', () => {
    const scores = Array.from({ length: 2001 }, (_, at) => (at - 1000) / 200)
    const shares = scores.map((score) => 1 / (1 + Math.exp(-(0.7 * score - 1.2))))
    const fit = fitPlatt(
      labelled(
        scores,
        shares,
        scores.map(() => 1e6),
      ),
    )
    expect(fit.slope).toBeCloseTo(0.7, 4)
    expect(fit.intercept).toBeCloseTo(-1.2, 4)
  })

  it.each([
    ['a perfect separation', [-1, -2, 1, 2], [0, 0, 1, 1]],
    ['one class', [0, 1, 2], [1, 1, 1]],
    ['one score', [3, 3, 3], [1, 0, 0]],
  ])('is finite for %s', (_, scores, labels) => {
    const { slope, intercept } = fitPlatt(labelled(scores, labels))
    expect(Number.isFinite(slope) && Number.isFinite(intercept)).toBe(true)
  })
})

describe('isotonic calibration', () => {
  it.each(cases)(
    'case $number has the probabilities of scikit-learn',
    ({ scores, labels, weights, asked, isotonic }) => {
      const out = probabilitiesOf(fitIsotonic(labelled(scores, labels, weights)), asked)
      out.forEach((value, at) => expect(value).toBeCloseTo(isotonic[at]!, 10))
    },
  )

  const row = fc.record({
    score: fc.integer({ min: -9, max: 9 }),
    label: fc.constantFrom(0, 1),
    weight: fc.integer({ min: 1, max: 5 }),
  })

  it('never decreases, and keeps the sum of the labels', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        const curve = fitIsotonic(
          labelled(
            rows.map(({ score }) => score),
            rows.map(({ label }) => label),
            rows.map(({ weight }) => weight),
          ),
        )
        const asked = Array.from({ length: 81 }, (_, at) => at / 4 - 10)
        probabilitiesOf(curve, asked).forEach((value, at, all) => {
          if (at > 0) expect(value).toBeGreaterThanOrEqual(all[at - 1]!)
        })
        const fitted = probabilitiesOf(
          curve,
          rows.map(({ score }) => score),
        )
        const sum = (of: (at: number) => number): number =>
          rows.reduce((total, { weight }, at) => total + weight * of(at), 0)
        expect(sum((at) => fitted[at]!)).toBeCloseTo(
          sum((at) => rows[at]!.label),
          8,
        )
      }),
    )
  })

  it('leaves rows without weight out, and NaN as it is', () => {
    const curve = fitIsotonic(labelled([0, 1, 2], [0, 1, 0], [1, 1, 0]))
    expect([...probabilitiesOf(curve, [-1, 0.5, 2, NaN])]).toEqual([0, 0.5, 1, NaN])
  })
})
