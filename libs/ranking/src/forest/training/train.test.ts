import { mulberry32 } from '@freshet/domain/mulberry32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { areaUnderCurve } from '../../metrics/auc.ts'
import { compileForest, forestScores, rawForestScores } from '../forest.ts'
import type { ForestModel } from '../model.ts'
import { parseForest } from '../parse.ts'
import { writeForest } from '../write.ts'
import type { ForestRows } from './rows.ts'
import type { ForestSettings } from './settings.ts'
import { trainForest } from './train.ts'

const columns = { names: ['x', 'noise', 'kind'], isCategorical: [false, false, true] }
const small: Partial<ForestSettings> = { trees: 30, leaves: 8, minRowsInLeaf: 5, minRowsPerCategoryGroup: 5 }

const chanceOf = (x: number, kind: number): number => 0.1 + (Number.isNaN(x) || x > 0 ? 0.4 : 0) + (kind % 2) * 0.4

const sumOf = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0)

/** Rows whose label depends on whether x is above 0 or missing, and on a category's parity. */
function rowsOf(seed: number, count = 1000): ForestRows {
  const random = mulberry32(seed)
  const values = new Float64Array(3 * count)
  const labels = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    const x = random() < 0.2 ? NaN : 2 * random() - 1
    const kind = Math.floor(30 * random())
    values.set([x, random(), kind], 3 * row)
    labels[row] = random() < chanceOf(x, kind) ? 1 : 0
  }
  return { matrix: { values, rows: count, rowStride: 3, featureStride: 1 }, labels }
}

function predict(model: ForestModel, { matrix }: ForestRows): Float64Array {
  const out = new Float64Array(matrix.rows)
  forestScores(compileForest(model), matrix, out)
  return out
}

const trained = (rows: ForestRows, settings: Partial<ForestSettings> = {}): ForestModel =>
  trainForest({ rows, columns }, { ...small, ...settings }).model

describe('trainForest', () => {
  it('learns a threshold, the side of missing values and a set of categories', () => {
    const test = rowsOf(2)
    const { values } = test.matrix
    const best = Float64Array.from(test.labels, (_, row) => chanceOf(values[3 * row]!, values[3 * row + 2]!))
    const [ours, possible] = [predict(trained(rowsOf(1)), test), best].map((scores) =>
      areaUnderCurve({ scores, labels: test.labels }),
    )
    expect(ours).toBeGreaterThan(possible! - 0.03)
  })

  it('lowers the loss on its own rows with every tree', () => {
    const rows = rowsOf(3)
    const { validationLosses } = trainForest({ rows, validation: rows, columns }, small)
    expect(validationLosses).toHaveLength(30)
    validationLosses.slice(1).forEach((loss, at) => expect(loss).toBeLessThan(validationLosses[at]!))
  })

  it('makes the same bytes of the same rows and seed, and others with another seed', () => {
    const make = (seed: number): string => writeForest(trained(rowsOf(4), { featureFraction: 0.5, seed }))
    expect(make(1)).toBe(make(1))
    expect(make(1)).not.toBe(make(2))
  })

  it('writes a text that reads back as the same trees', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 2, max: 20 }), (seed, leaves) => {
        const rows = rowsOf(seed, 200)
        const model = trained(rows, { leaves, trees: 4 })
        expect(predict(parseForest(writeForest(model)), rows)).toEqual(predict(model, rows))
      }),
      { numRuns: 20 },
    )
  })

  it('predicts for its own rows what the leaves learned: the mean prediction is the mean label', () => {
    const rows = rowsOf(5)
    const mean = (values: ArrayLike<number>): number => sumOf(values) / values.length
    expect(mean(predict(trained(rows), rows))).toBeCloseTo(mean(rows.labels), 2)
  })

  it('counts a row of weight 2 like two rows', () => {
    const rows = rowsOf(6, 300)
    const { matrix, labels } = rows
    const twice: ForestRows = {
      matrix: { ...matrix, rows: 600, values: Float64Array.from([...matrix.values, ...matrix.values]) },
      labels: Float64Array.from([...labels, ...labels]),
    }
    const settings = { trees: 3, minRowsInLeaf: 1, minRowsPerCategoryGroup: 1, categorySmoothing: 0 }
    const weighted = trained({ ...rows, weights: new Float64Array(300).fill(2) }, settings)
    const expected = predict(trained(twice, settings), rows)
    predict(weighted, rows).forEach((value, row) => expect(value).toBeCloseTo(expected[row]!, 9))
  })

  it('stops when the validation loss rises, and keeps the best number of trees', () => {
    const { model, validationLosses } = trainForest(
      { rows: rowsOf(7, 200), validation: rowsOf(8, 200), columns },
      { ...small, trees: 500, learningRate: 0.5, earlyStoppingRounds: 5 },
    )
    expect(validationLosses).toHaveLength(model.trees.length + 5)
    expect(Math.min(...validationLosses)).toBe(validationLosses[model.trees.length - 1])
  })

  it('is one leaf with the log-odds of the mean label where nothing can be split', () => {
    const rows = rowsOf(9, 100)
    const model = trained(rows, { minRowsInLeaf: 1000 })
    const raw = new Float64Array(100)
    rawForestScores(compileForest(model), rows.matrix, raw)
    const share = sumOf(rows.labels) / 100
    expect(model.trees).toHaveLength(1)
    expect(raw[0]).toBeCloseTo(Math.log(share / (1 - share)), 9)
  })

  it('refuses rows that cannot be used by name', () => {
    const rows = rowsOf(10, 10)
    expect(() => trained({ ...rows, labels: new Float64Array(10).fill(2) })).toThrow('the label of row 0 is 2')
  })
})
