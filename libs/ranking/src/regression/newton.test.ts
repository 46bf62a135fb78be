import { mulberry32 } from '@freshet/domain/mulberry32'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitRegression, type Fit, type RegressionRows, type WeightPrior } from './newton.ts'
import { solveSymmetric } from './solve.ts'

function finished(work: Generator<undefined, Fit, undefined>): Float64Array {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value.weights
  }
}

const flat = (width: number): WeightPrior => ({ mean: new Float64Array(width), precision: new Float64Array(width) })

/** Rows of a world with known weights; the first number of each is 1. */
function rowsOf(truth: readonly number[], rows: number, seed: number): RegressionRows {
  const random = mulberry32(seed)
  const width = truth.length
  const values = new Float32Array(rows * width)
  const labels = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    let logit = 0
    for (let j = 0; j < width; j++) {
      const x = j === 0 ? 1 : 2 * random() - 1
      values[row * width + j] = x
      logit += x * truth[j]!
    }
    labels[row] = random() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
  }
  return { kind: 'probability', rows, width, values, labels, weights: new Float32Array(rows).fill(1), offsets: null }
}

describe('a logistic regression with a prior', () => {
  it('finds the weights of the world from many rows', () => {
    const truth = [-1, 2, 0, -0.5]
    const found = finished(fitRegression(rowsOf(truth, 40_000, 1), flat(4), { maxSteps: 20 }))
    for (const [j, weight] of truth.entries()) expect(Math.abs(found[j]! - weight)).toBeLessThan(0.08)
  })

  it('predicts as many labels as there are, because the weight of 1 has no prior', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 50, max: 400 }), (seed, count) => {
        const rows = rowsOf([-1, 1, 0.5], count, seed)
        const positive = rows.labels.reduce((sum, label) => sum + label, 0)
        fc.pre(positive > 5 && positive < count - 5)
        const prior = { mean: Float64Array.of(0, 1, 0), precision: Float64Array.of(0, 5, 5) }
        const weights = finished(fitRegression(rows, prior, { maxSteps: 50 }))
        let predicted = 0
        for (let row = 0; row < count; row++) {
          const logit = weights.reduce((sum, weight, j) => sum + weight * rows.values[row * 3 + j]!, 0)
          predicted += 1 / (1 + Math.exp(-logit))
        }
        expect(predicted).toBeCloseTo(positive, 3)
      }),
      { numRuns: 50 },
    )
  })

  it('is at the prior without rows, near it with few and far from it with many', () => {
    const prior = { mean: Float64Array.of(0, 3), precision: Float64Array.of(1, 10) }
    const distance = [0, 20, 500, 20_000].map((rows) =>
      Math.abs(finished(fitRegression(rowsOf([0, -1], rows, 7), prior, { maxSteps: 30 }))[1]! - 3),
    )
    expect(distance[0]).toBe(0)
    expect(distance).toEqual(distance.toSorted((a, b) => a - b))
    expect(distance[3]).toBeGreaterThan(3.8)
  })

  it('gives the same weights from any start, and each row counts by its weight', () => {
    const rows = rowsOf([0.5, -1, 2], 3_000, 3)
    const prior = { mean: Float64Array.of(0, 0, 1), precision: Float64Array.of(0, 1, 1) }
    const cold = finished(fitRegression(rows, prior, { maxSteps: 50 }))
    const warm = finished(fitRegression(rows, prior, { maxSteps: 50, start: Float64Array.of(2, 2, -2) }))
    const doubled = finished(
      fitRegression(
        { ...rows, weights: rows.weights.map(() => 2) },
        { ...prior, precision: prior.precision.map((each) => 2 * each) },
        { maxSteps: 50 },
      ),
    )
    for (const j of [0, 1, 2]) {
      expect(warm[j]).toBeCloseTo(cold[j]!, 5)
      expect(doubled[j]).toBeCloseTo(cold[j]!, 5)
    }
  })

  it('takes an offset as a number whose weight is 1', () => {
    const rows = rowsOf([0.2, 1, 0.7], 4_000, 5)
    const offsets = Float32Array.from({ length: rows.rows }, (_, row) => rows.values[row * 3 + 2]!)
    const prior = { mean: new Float64Array(3), precision: Float64Array.of(0, 1, 1) }
    const plain = finished(fitRegression(rows, { ...prior, mean: Float64Array.of(0, 0, 1) }, { maxSteps: 30 }))
    const moved = finished(fitRegression({ ...rows, offsets }, prior, { maxSteps: 30 }))
    expect(moved[0]).toBeCloseTo(plain[0]!, 5)
    expect(moved[1]).toBeCloseTo(plain[1]!, 5)
    expect(moved[2]).toBeCloseTo(plain[2]! - 1, 5)
  })

  it('of amounts is the least squares solution', () => {
    const rows = rowsOf([0, 1], 300, 2)
    const labels = Float32Array.from({ length: 300 }, (_, row) => 3 - 2 * rows.values[row * 2 + 1]!)
    const found = finished(fitRegression({ ...rows, kind: 'amount', labels }, flat(2), { maxSteps: 5 }))
    expect(found[0]).toBeCloseTo(3, 4)
    expect(found[1]).toBeCloseTo(-2, 4)
  })

  it('leaves out rows without a label', () => {
    const rows = rowsOf([0.2, 1], 500, 9)
    const half = { ...rows, labels: rows.labels.map((label, row) => (row < 250 ? label : NaN)) }
    const first = {
      ...rows,
      rows: 250,
      values: rows.values.subarray(0, 500),
      labels: rows.labels.subarray(0, 250),
    }
    const prior = { mean: new Float64Array(2), precision: Float64Array.of(1, 1) }
    expect(finished(fitRegression(half, prior, { maxSteps: 20 }))).toEqual(
      finished(fitRegression(first, prior, { maxSteps: 20 })),
    )
  })

  it('stays finite where a number separates the labels and the prior is weak', () => {
    const rows: RegressionRows = {
      kind: 'probability',
      rows: 4,
      width: 2,
      values: Float32Array.of(1, -1, 1, -2, 1, 1, 1, 2),
      labels: Float32Array.of(0, 0, 1, 1),
      weights: new Float32Array(4).fill(1),
      offsets: null,
    }
    const prior = { mean: new Float64Array(2), precision: Float64Array.of(0, 1e-3) }
    const found = finished(fitRegression(rows, prior, { maxSteps: 100 }))
    expect(found.every(Number.isFinite)).toBe(true)
    expect(found[1]).toBeGreaterThan(1)
  })
})

describe('a symmetric system of equations', () => {
  it('is solved: A·x gives the right side again', () => {
    const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(numbers, (given) => {
        const size = 3
        const factor = given.slice(0, 9)
        // Fᵀ·F + 1 is positive definite.
        const matrix = Float64Array.from({ length: 9 }, (_, at) => {
          const [row, column] = [Math.floor(at / size), at % size]
          let sum = row === column ? 1 : 0
          for (let k = 0; k < size; k++) sum += factor[k * size + row]! * factor[k * size + column]!
          return sum
        })
        const right = Float64Array.from(given.slice(9))
        const x = solveSymmetric(matrix, right, size)
        for (let row = 0; row < size; row++) {
          let sum = 0
          for (let k = 0; k < size; k++) sum += matrix[row * size + k]! * x[k]!
          expect(sum).toBeCloseTo(right[row]!, 6)
        }
      }),
    )
  })

  it('is refused if it has no single solution', () => {
    expect(() => solveSymmetric(Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 2), 2)).toThrow(/not positive definite/)
  })
})
