import { beforeAll, describe, expect, it } from 'vitest'
import { valueAt } from '../plan/column-value.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { initialWeights } from '../training/initial-weights.ts'
import { aPlan, clickInputs, clicks } from '../training/testing.ts'
import { nodeValues } from './node-values.ts'
import { createPlanScorer } from './plan-scorer.ts'
import { predictTable } from './predict-table.ts'
import { utilitiesOf } from './utility.ts'

const plan = aPlan({
  inputs: clickInputs,
  nodes: [
    ['half', 'multiply', ['rate', 'rate']],
    ['taste', 'embedding', ['user', 'pin'], { size: 4 }],
    ['trunk', 'mlp', ['taste', 'half'], { hidden: [8] }],
    ['logit', 'linear', ['trunk']],
    ['seconds', 'linear', ['trunk']],
  ],
  heads: [
    { name: 'click', value: 'logit' },
    { name: 'dwell', kind: 'amount', value: 'seconds' },
  ],
})
const parameters = { weights: initialWeights(compileTensorProgram(plan).weights, 3), fitted: new Map() }
const table = clicks(150, 5)

beforeAll(async () => {
  await chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice)
})

describe('values of nodes', () => {
  it('lead to the utility that the ranker gives, to the last bit', () => {
    const utilities = Float32Array.from(utilitiesOf(plan, predictTable({ plan, parameters }, table)))
    const scorer = createPlanScorer({ plan, parameters }, 'm')
    expect(utilities).toEqual(scorer.score(table.inputs, table.rows).utilities)
    scorer.dispose()
  })

  it('of learned nodes are those that the heads read', () => {
    const { columns, needModel } = nodeValues(plan, parameters, table)
    expect(needModel).toEqual([])
    expect([...columns.keys()]).toEqual(['half', 'taste', 'trunk', 'logit', 'seconds'])
    const [clicked] = predictTable({ plan, parameters }, table)
    for (const row of [0, 77, 149]) {
      expect(valueAt(columns.get('taste')!, row)).toHaveLength(8)
      expect(1 / (1 + Math.exp(-(valueAt(columns.get('logit')!, row) as number)))).toBe(clicked![row])
    }
  })

  it('without a model are those of fixed nodes', () => {
    const { columns, needModel } = nodeValues(plan, null, table)
    expect([...columns.keys()]).toEqual(['half'])
    expect(needModel.map(({ name }) => name)).toEqual(['taste', 'trunk', 'logit', 'seconds'])
  })
})
