import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import { areaUnderCurve } from '../metrics/auc.ts'
import type { RowTable } from '../plan/column.ts'
import { fitForTraining } from '../plan/fit-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { createProgram } from '../plan/program.ts'
import { plainRows } from '../plan/testing.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { aPlan } from './testing.ts'
import { trainModel } from './train.ts'

/** A linear model of the rate of a creator of whom there are few rows. */
const plan: Plan = (() => {
  const made = aPlan({
    inputs: { creator: { kind: 'category' } },
    nodes: [
      ['rate', 'target_rate', ['creator']],
      ['scaled', 'standardise', ['rate']],
      ['logit', 'linear', ['scaled']],
    ],
    heads: [{ name: 'save', value: 'logit' }],
    training: { epochs: 30, learningRate: 0.01 },
  })
  const params: Readonly<Record<string, object>> = { rate: { label: 'save', strength: 1 } }
  return { ...made, nodes: made.nodes.map((node) => ({ ...node, params: { ...node.params, ...params[node.id] } })) }
})()

const creators = 600

/** Rows of random creators whose label is thrown with the creator's own probability. */
function rowsOf(rows: number, seed: number, probability: (creator: number) => number): RowTable {
  const random = mulberry32(seed)
  const codes = Int32Array.from({ length: rows }, () => Math.floor(random() * creators))
  const save = Float32Array.from(codes, (creator) => (random() < probability(creator) ? 1 : 0))
  const names = Array.from({ length: creators }, (_, creator) => `c${creator}`)
  return {
    rows,
    inputs: new Map([['creator', { kind: 'categories', rows, codes, names }]]),
    labels: new Map([['save', save]]),
    weights: null,
  }
}

async function lossOn(later: RowTable, earlier: RowTable): Promise<number> {
  const { metrics } = await trainModel(plan, earlier, { validate: later, seed: 3, nowMs: () => 0 })
  return metrics.get('save')!.loss
}

describe('a rate of the label', () => {
  it('gives no gain where the label is random, and does not do harm', async () => {
    const coin = (): number => 0.5
    const loss = await lossOn(rowsOf(1500, 2, coin), rowsOf(1500, 1, coin))
    expect(loss).toBeGreaterThan(Math.LN2 - 0.005)
    expect(loss).toBeLessThan(Math.LN2 + 0.005)
  })

  it('gives a gain where creators differ', async () => {
    const own = (creator: number): number => (creator % 2 === 0 ? 0.9 : 0.1)
    expect(await lossOn(rowsOf(1500, 2, own), rowsOf(3000, 1, own))).toBeLessThan(0.55)
  })

  it('of a training row does not contain its own label, and of later rows contains all', () => {
    const table = rowsOf(1500, 1, () => 0.5)
    const { fitted, outOfFold } = fitForTraining(plan, table, { seed: 3, catalogue: transformCatalogue })
    const labels = Float64Array.from(table.labels.get('save')!)
    const aucOf = (column: readonly unknown[]): number =>
      areaUnderCurve({ scores: Float64Array.from(column as readonly number[]), labels })!
    expect(aucOf(plainRows(outOfFold.get('rate')!))).toBeLessThan(0.52)
    const whole = createProgram(plan, fitted, transformCatalogue, { results: ['rate'] }).run(table.inputs, table.rows)
    expect(aucOf(plainRows(whole.get('rate')!))).toBeGreaterThan(0.7)
  })
})

describe('a score of a forest that a learned node reads', () => {
  it('gives no gain where the label is random, and does not do harm', async () => {
    const made = aPlan({
      inputs: { noise: { kind: 'scalar' } },
      nodes: [
        ['score', 'forest', ['noise']],
        ['logit', 'linear', ['score']],
      ],
      heads: [{ name: 'save', value: 'logit' }],
      training: { epochs: 30, learningRate: 0.01 },
    })
    const params = { file: null, label: 'save', trees: 50, leaves: 31, rate: 0.3, objective: 'binary' }
    const stacked = { ...made, nodes: made.nodes.map((node) => (node.id === 'score' ? { ...node, params } : node)) }
    const noisy = (seed: number): RowTable => {
      const random = mulberry32(seed)
      const values = Float32Array.from({ length: 1500 }, () => random())
      return {
        ...rowsOf(1500, seed, () => 0.5),
        inputs: new Map([['noise', { kind: 'numbers', rows: 1500, width: 1, values }]]),
      }
    }
    const { metrics } = await trainModel(stacked, noisy(1), { validate: noisy(2), seed: 3, nowMs: () => 0 })
    expect(metrics.get('save')!.loss).toBeLessThan(Math.LN2 + 0.02)
  })
})
