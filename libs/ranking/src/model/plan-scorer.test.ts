import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Column } from '../plan/column.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { initialWeights } from '../training/initial-weights.ts'
import { aPlan, clickInputs, clicks } from '../training/testing.ts'
import { references } from '../transforms/learned/reference.fixture.ts'
import { createPlanScorer } from './plan-scorer.ts'
import type { TrainedModel } from './trained-model.ts'

const plan = aPlan({
  inputs: clickInputs,
  nodes: [
    ['taste', 'embedding', ['user', 'pin'], { size: 4 }],
    ['trunk', 'dcn_v2', ['taste', 'rate'], { cross: 2, hidden: [16, 8], normalise: true }],
    ['logit', 'linear', ['trunk']],
    ['seconds', 'linear', ['trunk']],
  ],
  heads: [
    { name: 'click', value: 'logit' },
    { name: 'dwell', kind: 'amount', value: 'seconds' },
  ],
})

const fmPlan = aPlan({
  inputs: clickInputs,
  nodes: [
    ['taste', 'embedding', ['user', 'pin'], { size: 4 }],
    ['logit', 'fm', ['taste'], { size: 4 }],
  ],
  heads: [{ name: 'click', value: 'logit' }],
})

function modelOf(given: typeof plan): TrainedModel {
  const weights = initialWeights(compileTensorProgram(given).weights, 3)
  return { plan: given, parameters: { weights, fitted: new Map() } }
}

const page = clicks(500, 5).inputs

/** Some rows of the page. */
function rowsOf(from: number, to: number): ReadonlyMap<string, Column> {
  return new Map(
    [...page].map(([name, column]) => {
      if (column.kind !== 'numbers' && column.kind !== 'indices') throw new TypeError(column.kind)
      return [name, { ...column, rows: to - from, values: column.values.slice(from, to) } as Column]
    }),
  )
}

/** A node of the plan on one row, in plain arithmetic. */
function apply({ parameters, plan: { nodes } }: TrainedModel, id: string, args: readonly number[][]): number[] {
  const node = nodes.find((each) => each.id === id)!
  const weights = [...parameters.weights].filter(([key]) => key.startsWith(`${id}/`))
  const nested = weights.map(([key, { shape, values }]) => {
    const rows = Array.from({ length: shape[0]! }, (_, at) => [
      ...values.subarray(at * shape[1]!, (at + 1) * shape[1]!),
    ])
    return [key.slice(id.length + 1), (shape.length === 1 ? [...values] : rows) as never] as const
  })
  return references[node.transform]!(args as never, node.params, new Map(nested))
}

/** The trunk of a row of the page. */
function reference(model: TrainedModel, row: number): number[] {
  const of = (name: string): number => (page.get(name) as Extract<Column, { kind: 'numbers' | 'indices' }>).values[row]!
  return apply(model, 'trunk', [apply(model, 'taste', [[of('user')], [of('pin')]]), [of('rate')]])
}

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

describe('plan scorer', () => {
  it('multiplies predictions by factors in the utility only, and a factor of 1 changes no bit', () => {
    const scorer = createPlanScorer(modelOf(plan), 'one')
    const plainly = scorer.score(page, 500)
    const doubled = scorer.score(page, 500, new Map([['click', 2]]))
    expect(doubled.predictions).toEqual(plainly.predictions)
    const weightOf = (name: string): number => plan.utility.find(({ head }) => head === name)?.weight ?? 0
    for (const row of [0, 250, 499])
      expect(doubled.utilities[row]! - plainly.utilities[row]!).toBeCloseTo(
        weightOf('click') * plainly.predictions[row]!,
        5,
      )
    const ones = scorer.score(page, 500, new Map([['click', 1]]))
    expect(new Uint8Array(ones.utilities.buffer)).toEqual(new Uint8Array(plainly.utilities.buffer))
    scorer.dispose()
  })

  it('gives utilities of probabilities and amounts', () => {
    const scorer = createPlanScorer(modelOf(plan), 'one')
    const { utilities, predictions, kept } = scorer.score(page, 500)
    expect(kept).toBeNull()
    for (const row of [0, 250, 499]) {
      expect(predictions[row]).toBeGreaterThan(0)
      expect(predictions[row]).toBeLessThan(1)
      expect(predictions[500 + row]).toBeGreaterThanOrEqual(0)
      expect(utilities[row]).toBeCloseTo(predictions[row]! + predictions[500 + row]!, 5)
    }
    expect(new Set(utilities).size).toBeGreaterThan(100)
    scorer.dispose()
  })

  it('is within 1e-5 of the formula in plain arithmetic, on whichever backend', () => {
    const model = modelOf(plan)
    const scorer = createPlanScorer(model, 'one')
    const { predictions } = scorer.score(page, 500)
    for (const row of [0, 77, 499]) {
      const trunk = reference(model, row)
      const logit = apply(model, 'logit', [trunk])[0]!
      expect(Math.abs(predictions[row]! - 1 / (1 + Math.exp(-logit)))).toBeLessThan(1e-5)
    }
    scorer.dispose()
  })

  // A plan with `fm` is scored by TensorFlow.js, the other one by our own kernel.
  it.each([plan, fmPlan])('gives the same bits whatever the other candidates are, and wherever one stands', (given) => {
    const scorer = createPlanScorer(modelOf(given), 'one')
    const whole = scorer.score(page, 500).utilities
    for (const [from, to] of [
      [0, 1],
      [0, 3],
      [0, 63],
      [0, 65],
      [7, 500],
      [64, 131],
      [499, 500],
    ] as const)
      expect(scorer.score(rowsOf(from, to), to - from).utilities).toEqual(whole.slice(from, to))
    scorer.dispose()
  })

  it('repeats a value of the request for all candidates', () => {
    const isUser = ({ name }: { readonly name: string }): boolean => name === 'user'
    const inputs = plan.inputs.map((input) => (isUser(input) ? { ...input, side: 'request' as const } : input))
    const scorer = createPlanScorer(modelOf({ ...plan, inputs }), 'one')
    const alone = new Map([
      ...page,
      ['user', { kind: 'indices', rows: 1, hashes: 1, values: Int32Array.of(4) }] as const,
    ])
    const spread = new Map([
      ...page,
      ['user', { kind: 'indices', rows: 500, hashes: 1, values: new Int32Array(500).fill(4) }] as const,
    ])
    expect(scorer.score(alone, 500).utilities).toEqual(scorer.score(spread, 500).utilities)
    scorer.dispose()
  })

  it('scores what the first phase keeps, and orders the others after it by their first-phase score', () => {
    const all = createPlanScorer(modelOf(plan), 'one').score(page, 500)
    const phased = { ...plan, firstPhase: { score: 'rate', keep: 100 } }
    const { utilities, kept, predictions } = createPlanScorer(modelOf(phased), 'two').score(page, 500)
    const rates = (page.get('rate') as Extract<Column, { kind: 'numbers' }>).values
    const byRate = [...rates.keys()].sort((a, b) => rates[b]! - rates[a]! || a - b)
    expect([...kept!]).toEqual(byRate.slice(0, 100))
    for (const row of kept!) expect(utilities[row]).toBe(all.utilities[row])
    const byUtility = [...utilities.keys()].sort((a, b) => utilities[b]! - utilities[a]!)
    expect(byUtility.slice(100)).toEqual(byRate.slice(100))
    for (const row of byRate.slice(100)) expect(predictions[row]).toBe(0)
  })

  it('answers an empty page, and names an input that is missing', () => {
    const scorer = createPlanScorer(modelOf(plan), 'one')
    expect(scorer.score(new Map(), 0).utilities).toHaveLength(0)
    expect(() => scorer.score(new Map([...page].slice(1)), 500)).toThrow(/user/)
    scorer.dispose()
  })

  it.each([plan, fmPlan])('leaves no tensors behind', (given) => {
    const before = tf.memory().numTensors
    const scorer = createPlanScorer(modelOf(given), 'one')
    scorer.score(page, 500)
    scorer.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})
