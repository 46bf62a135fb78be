import { mulberry32 } from '@freshet/domain/mulberry32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileForest, rawForestScores } from '../forest.ts'
import { createObjective } from './objectives.ts'
import type { ForestRows } from './rows.ts'
import { trainForest } from './train.ts'

const matrixOf = (values: readonly number[]): ForestRows['matrix'] => ({
  values: Float64Array.from(values),
  rows: values.length,
  rowStride: 1,
  featureStride: 1,
})

function derivativesOf(rows: ForestRows, scores: readonly number[]): { gradients: number[]; hessians: number[] } {
  const into = { gradients: new Float64Array(scores.length), hessians: new Float64Array(scores.length) }
  createObjective('lambdarank', rows).derive(Float64Array.from(scores), into)
  return { gradients: [...into.gradients], hessians: [...into.hessians] }
}

const rowsOf = (labels: readonly number[], groups: readonly number[], weights?: readonly number[]): ForestRows => ({
  matrix: matrixOf(labels),
  labels: Float64Array.from(labels),
  groups: Int32Array.from(groups),
  ...(weights && { weights: Float64Array.from(weights) }),
})

describe('lambdarank', () => {
  it('is the formula of one pair', () => {
    const { gradients, hessians } = derivativesOf(rowsOf([0, 1], [0, 0]), [1, 0])
    const change = (1 - 1 / Math.log2(3)) / 1.01
    const p = 1 / (1 + Math.exp(-1))
    const total = 2 * change * p
    const scale = Math.log2(1 + total) / total
    expect(gradients[0]).toBeCloseTo(change * p * scale, 12)
    expect(gradients[1]).toBeCloseTo(-change * p * scale, 12)
    expect(hessians[0]).toBeCloseTo(change * p * (1 - p) * scale, 12)
  })

  it('moves what a group gains from one row to another: the slopes of a group add up to 0', () => {
    const row = fc.tuple(
      fc.constantFrom(0, 1),
      fc.integer({ min: -1, max: 3 }),
      fc.double({ min: -3, max: 3, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const { gradients } = derivativesOf(
          rowsOf(
            rows.map(([label]) => label),
            rows.map(([, group]) => group),
          ),
          rows.map(([, , score]) => score),
        )
        for (let group = -1; group <= 3; group++) {
          const sum = gradients.reduce((total, slope, at) => total + (rows[at]![1] === group ? slope : 0), 0)
          expect(sum).toBeCloseTo(0, 10)
        }
      }),
    )
  })

  it('learns nothing from rows in no group and from groups of one class', () => {
    const { gradients } = derivativesOf(rowsOf([1, 0, 1, 1, 0, 0], [-1, -1, 0, 0, 1, 1]), [1, 2, 3, 4, 5, 6])
    expect(gradients).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('counts the places that a weighted row stands for', () => {
    const places = (weight: number): number =>
      derivativesOf(rowsOf([0, 0, 1], [0, 0, 0], [weight, 1, 1]), [3, 2, 1]).gradients[1]!
    expect(places(5)).toBeLessThan(places(1))
  })

  it('orders the rows of a group, whatever the share of positives in it', () => {
    const random = mulberry32(7)
    const values: number[] = []
    const groups: number[] = []
    const labels: number[] = []
    for (let group = 0; group < 300; group++) {
      const own = Array.from({ length: 8 }, () => random())
      const best = Math.max(...own)
      for (const value of own) {
        values.push(value)
        groups.push(group)
        labels.push(value === best ? 1 : 0)
      }
    }
    const rows: ForestRows = { ...rowsOf(labels, groups), matrix: matrixOf(values) }
    const columns = { names: ['x'], isCategorical: [false] }
    const { model } = trainForest({ rows, columns }, { objective: 'lambdarank', trees: 30, leaves: 8 })
    const scores = new Float64Array(values.length)
    rawForestScores(compileForest(model), rows.matrix, scores)
    const first = Array.from({ length: 300 }, (_, group) => {
      const own = [...scores.subarray(8 * group, 8 * group + 8)]
      return labels[8 * group + own.indexOf(Math.max(...own))]!
    })
    expect(model.objective).toBe('lambdarank')
    expect(first.reduce((sum, hit) => sum + hit, 0) / 300).toBeGreaterThan(0.9)
  })

  it('refuses rows without groups, and validation rows', () => {
    const { groups: _groups, ...rows } = rowsOf([1, 0], [0, 0])
    const columns = { names: ['x'], isCategorical: [false] }
    const settings = { objective: 'lambdarank' } as const
    expect(() => trainForest({ rows, columns }, settings)).toThrow('these rows have none')
    expect(() => trainForest({ rows: rowsOf([1, 0], [0, 0]), validation: rows, columns }, settings)).toThrow(
      'leave the validation rows out',
    )
  })
})
