import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import type { LinearPrior } from './newton-learner.ts'
import { aPlan } from './testing.ts'
import { trainModel } from './train.ts'

const plan = aPlan({
  inputs: { rate: { kind: 'scalar' }, age: { kind: 'scalar' } },
  nodes: [['logit', 'linear', ['rate', 'age']]],
  heads: [{ name: 'click', value: 'logit' }],
})
const column = (values: Float32Array): Column => ({ kind: 'numbers', rows: values.length, width: 1, values })
const means: ReadonlyMap<string, Weights> = new Map([
  ['logit/numbers_kernel', { shape: [2, 1], values: Float32Array.of(2, 0.5) }],
  ['logit/numbers_bias', { shape: [1], values: Float32Array.of(0) }],
])

/** The weights that 200 rows and this prior give. In the rows `rate` hardly varies and `age` does not vary at all. */
async function learn(prior: LinearPrior): Promise<readonly number[]> {
  return (await weightsOf(prior, (random) => (random < 0.3 ? 1 : 0))).kernel
}

async function weightsOf(prior: LinearPrior, labelOf: (random: number, row: number) => number) {
  const random = mulberry32(5)
  const rows = 200
  const values = (make: () => number) => Float32Array.from({ length: rows }, make)
  const table = {
    rows,
    inputs: new Map([
      ['rate', column(values(() => 0.01 * random()))],
      ['age', column(values(() => 3))],
    ]),
    labels: new Map([['click', Float32Array.from({ length: rows }, (_, row) => labelOf(random(), row))]]),
    weights: null,
  }
  const how = { seed: 1, nowMs: () => 0, someOneClass: true, prior }
  const { weights } = (await trainModel(plan, table, how)).parameters
  const [bias] = weights.get('logit/numbers_bias')!.values
  return { bias: bias!, kernel: [...weights.get('logit/numbers_kernel')!.values] }
}

/** Rows in which both numbers vary by about 1. */
const typical = {
  rows: 3,
  inputs: new Map([
    ['rate', column(Float32Array.of(-1, 0, 1))],
    ['age', column(Float32Array.of(-1, 0, 1))],
  ]),
}

describe('weights that are believed before any row', () => {
  it('stay where the rows hardly vary, if they come from rows that did', async () => {
    const [alone] = await learn({ means, precision: 10 })
    const [rate] = await learn({ means, precision: 10, evidence: { precisions: new Map([['click', 100]]), typical } })
    // 200 rows whose `rate` varies by 0.003 say next to nothing about its weight, and yet move it far.
    expect(Math.abs(alone! - 2)).toBeGreaterThan(1)
    expect(rate).toBeCloseTo(2, 1)
  })

  it('do not let the bias go where one click in 200 rows leads', async () => {
    const evidence = { precisions: new Map([['click', 100]]), typical }
    const meanOf = async (prior: LinearPrior) => {
      const { bias, kernel } = await weightsOf(prior, (_, row) => (row === 0 ? 1 : 0))
      return 1 / (1 + Math.exp(-(bias + 3 * kernel[1]!)))
    }
    expect(await meanOf({ means, precision: 10 })).toBeCloseTo(0.005, 2)
    expect(await meanOf({ means, precision: 10, evidence })).toBeGreaterThan(0.02)
  })

  it('stay for a number that does not vary', async () => {
    expect((await learn({ means, precision: 10 }))[1]).toBe(0.5)
    expect((await learn({ means: new Map(), precision: 10 }))[1]).toBe(0)
  })
})
