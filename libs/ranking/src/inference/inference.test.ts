import { mulberry32 } from '@freshet/domain/mulberry32'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import type { Plan } from '../plan/plan.ts'
import type { ValueType } from '../plan/value-type.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import { loadWeights, predict } from '../tensor/predict.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { aPlan } from '../training/testing.ts'
import { passRows } from './build.ts'
import { createInference } from './inference.ts'

const inputs = {
  rate: { kind: 'scalar' },
  vector: { kind: 'vector', size: 16 },
  pin: { kind: 'index', rows: 40, hashes: 2 },
  user: { kind: 'index', rows: 30, hashes: 1 },
} as const satisfies Record<string, ValueType>

type Nodes = Parameters<typeof aPlan>[0]['nodes']

const served: Readonly<Record<string, Nodes>> = {
  'linear of numbers and indices': [['logit', 'linear', ['rate', 'pin', 'vector', 'user']]],
  'linear of indices': [['logit', 'linear', ['user', 'pin']]],
  'an MLP': [
    ['trunk', 'mlp', ['vector', 'rate'], { hidden: [24, 9] }],
    ['logit', 'linear', ['trunk']],
  ],
  'a normalised MLP with tanh': [
    ['trunk', 'mlp', ['vector'], { hidden: [7, 5], activation: 'tanh', normalise: true }],
    ['logit', 'linear', ['trunk', 'rate']],
  ],
  'an MLP with elu of embeddings': [
    ['taste', 'embedding', ['pin', 'user'], { size: 5, pool: 'sum' }],
    ['trunk', 'mlp', ['taste', 'rate'], { hidden: [12], activation: 'elu' }],
    ['logit', 'linear', ['trunk']],
  ],
  'DCN-v2': [
    ['trunk', 'dcn_v2', ['vector', 'rate'], { cross: 3, hidden: [20, 6], normalise: true }],
    ['logit', 'linear', ['trunk']],
  ],
  'DCN-v2 of low rank, one part after the other': [
    ['trunk', 'dcn_v2', ['vector', 'rate'], { cross: 2, low_rank: 3, hidden: [6], parallel: false }],
    ['logit', 'linear', ['trunk']],
  ],
  'DCN-v2 without hidden layers': [
    ['trunk', 'dcn_v2', ['vector'], { cross: 2 }],
    ['logit', 'linear', ['trunk']],
  ],
}

function planOf(nodes: Nodes): Plan {
  return aPlan({ inputs, nodes, heads: [{ name: 'save', value: 'logit' }] })
}

/** Weights that are all drawn, so that none is zero. */
function weightsOf(plan: Plan): ReadonlyMap<string, Weights> {
  const random = mulberry32(2)
  return new Map(
    compileTensorProgram(plan).weights.map(({ key, shape, isObserved }) => {
      const size = shape.reduce((product, part) => product * part, 1)
      const draw = (): number => (isObserved === true ? 0.5 + random() : random() - 0.5)
      return [key, { shape, values: Float32Array.from({ length: size }, draw) }]
    }),
  )
}

/** Random columns; one number in ten and one index in ten is missing. */
function pageOf(rows: number, seed: number): ReadonlyMap<string, Column> {
  const random = mulberry32(seed)
  const missing = (): boolean => random() < 0.1
  return new Map(
    Object.entries(inputs).map(([name, type]): [string, Column] => {
      if (type.kind === 'index') {
        const draw = (): number => (missing() ? -1 : Math.floor(random() * type.rows))
        const values = Int32Array.from({ length: rows * type.hashes }, draw)
        return [name, { kind: 'indices', rows, hashes: type.hashes, values }]
      }
      const width = type.kind === 'vector' ? type.size : 1
      const values = Float32Array.from({ length: rows * width }, () => (missing() ? NaN : 2 * random() - 1))
      return [name, { kind: 'numbers', rows, width, values }]
    }),
  )
}

const consecutive = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, row) => row)

function inferenceOf(plan: Plan, weights = weightsOf(plan)) {
  return createInference(compileTensorProgram(plan), weights)
}

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

describe.each(Object.entries(served))('%s on our own kernel', (_name, nodes) => {
  const plan = planOf(nodes)
  const weights = weightsOf(plan)

  it.each([1, 500, 2 * passRows + 5])('gives the values of TensorFlow.js within 1e-5 for %i rows', (rows) => {
    const page = pageOf(rows, rows)
    const ours = inferenceOf(plan, weights)!.predict(page, consecutive(rows))
    const theirs = predict(compileTensorProgram(plan), loadWeights(weights), page, consecutive(rows))
    expect(ours).toHaveLength(rows)
    const worst = ours.reduce((most, value, row) => Math.max(most, Math.abs(value - theirs[row]!)), 0)
    expect(worst).toBeLessThan(1e-5)
    expect(new Set(ours).size).toBeGreaterThan(rows / 2)
  })

  it('gives a row the same bits whatever the other rows are, and wherever it stands', () => {
    const page = pageOf(600, 3)
    const inference = inferenceOf(plan, weights)!
    const whole = inference.predict(page, consecutive(600))
    const backwards = inference.predict(page, consecutive(600).reverse())
    expect(backwards.reverse()).toEqual(whole)
    for (const row of [0, 1, 5, 503, 504, 599]) expect(inference.predict(page, Int32Array.of(row))[0]).toBe(whole[row])
  })
})

describe('inference', () => {
  it('takes a column of one row for all rows', () => {
    const plan = planOf(served['an MLP with elu of embeddings']!)
    const page = pageOf(50, 4)
    const user = { kind: 'indices', rows: 1, hashes: 1, values: Int32Array.of(7) } as const
    const spread = { ...user, rows: 50, values: new Int32Array(50).fill(7) }
    const inference = inferenceOf(plan)!
    const alone = inference.predict(new Map<string, Column>([...page, ['user', user]]), consecutive(50))
    expect(inference.predict(new Map<string, Column>([...page, ['user', spread]]), consecutive(50))).toEqual(alone)
  })

  it('gives the values of several heads row by row', () => {
    const one = planOf([...served['DCN-v2']!, ['seconds', 'linear', ['trunk', 'rate']]])
    const plan = { ...one, heads: [one.heads[0]!, { ...one.heads[0]!, name: 'dwell', value: 'seconds' }] }
    const page = pageOf(30, 5)
    const weights = weightsOf(plan)
    const both = inferenceOf(plan, weights)!.predict(page, consecutive(30))
    const alone = inferenceOf(one, weights)!.predict(page, consecutive(30))
    expect(both).toHaveLength(60)
    for (let row = 0; row < 30; row++) expect(both[2 * row]).toBe(alone[row])
  })

  it('gives the vectors of nodes that were asked for', () => {
    const plan = planOf(served['DCN-v2']!)
    const weights = weightsOf(plan)
    const program = compileTensorProgram(plan, ['trunk', 'logit'])
    const page = pageOf(7, 6)
    const values = createInference(program, weights)!.predict(page, consecutive(7))
    const wanted = predict(program, loadWeights(weights), page, consecutive(7))
    const width = 16 + 1 + 6 + 1
    expect(values).toHaveLength(7 * width)
    const logits = inferenceOf(plan, weights)!.predict(page, consecutive(7))
    for (let at = 0; at < values.length; at++) expect(Math.abs(values[at]! - wanted[at]!)).toBeLessThan(1e-5)
    for (let row = 0; row < 7; row++) expect(values[(row + 1) * width - 1]).toBe(logits[row])
  })

  it.each<[string, Nodes]>([
    [
      'fm',
      [
        ['taste', 'embedding', ['pin', 'user'], { size: 4 }],
        ['logit', 'fm', ['taste'], { size: 4 }],
      ],
    ],
    [
      'gate',
      [
        ['chosen', 'gate', ['vector', 'rate']],
        ['logit', 'linear', ['chosen']],
      ],
    ],
  ])('leaves %s to TensorFlow.js', (_name, nodes) => {
    expect(inferenceOf(planOf(nodes))).toBeNull()
  })
})
