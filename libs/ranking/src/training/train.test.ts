import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createPlanScorer } from '../model/plan-scorer.ts'
import { predictTable } from '../model/predict-table.ts'
import type { Parameters } from '../model/trained-model.ts'
import type { RowTable } from '../plan/column.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import { isLearnedExactly } from './choose-learner.ts'
import { figuresOf } from './figures.ts'
import { aPlan, clickInputs, clicks } from './testing.ts'
import { trainModel, type EpochReport, type TrainOptions } from './train.ts'

const fmPlan = aPlan({
  inputs: clickInputs,
  nodes: [
    ['taste', 'embedding', ['user', 'pin'], { size: 4 }],
    ['trunk', 'dcn_v2', ['taste', 'rate'], { cross: 1, hidden: [8], normalise: true }],
    ['logit', 'linear', ['trunk']],
    ['seconds', 'linear', ['trunk']],
  ],
  heads: [
    { name: 'click', value: 'logit' },
    { name: 'dwell', kind: 'amount', value: 'seconds', lossWeight: 0.1 },
  ],
  training: { epochs: 20, batchRows: 100, learningRate: 0.03, patience: 3 },
})
const linearPlan = aPlan({
  inputs: clickInputs,
  nodes: [['logit', 'linear', ['user', 'pin', 'rate']]],
  heads: [{ name: 'click', value: 'logit' }],
  training: { epochs: 5, learningRate: 0.002 },
})
const scalarNode = { type: { kind: 'scalar' }, side: 'candidate' } as const
const rows = clicks(800, 1)
const later = clicks(500, 2)

function train(plan: typeof fmPlan, table: RowTable, options: Partial<TrainOptions> = {}) {
  let now = 0
  return trainModel(plan, table, { seed: 7, nowMs: () => (now += 1000), ...options })
}

/** All weights as text. */
function bytesOf({ weights }: Parameters): string {
  return JSON.stringify([...weights].map(([key, { values }]) => [key, [...values]]))
}

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

describe('training by gradient descent', () => {
  it('learns who likes what, and how long, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors
    const { metrics, epochs, seconds } = await train(fmPlan, rows, { validate: later })
    expect(tf.memory().numTensors).toBe(before)
    expect(metrics.get('click')!.auc).toBeGreaterThan(0.75)
    expect(metrics.get('click')!.calibration).toBeCloseTo(1, 0)
    expect(metrics.get('dwell')!.loss).toBeLessThan(0.5)
    expect(epochs).toBeGreaterThan(3)
    expect(seconds).toBeGreaterThan(0)
  })

  it('gives the same bytes for the same seed, and others for another', async () => {
    const some = clicks(150, 1)
    const first = bytesOf((await train(fmPlan, some)).parameters)
    expect(bytesOf((await train(fmPlan, some)).parameters)).toBe(first)
    expect(bytesOf((await train(fmPlan, some, { seed: 8 })).parameters)).not.toBe(first)
  })

  it('goes on from earlier parameters', async () => {
    const cold = await train(fmPlan, rows, { validate: later })
    const reports: EpochReport[] = []
    const warm = await train(fmPlan, clicks(200, 3), {
      validate: later,
      initial: cold.parameters,
      onEpoch: (report) => reports.push(report),
    })
    expect(reports[0]!.validation!.get('click')!.auc).toBeGreaterThan(0.75)
    expect(warm.metrics.get('click')!.auc).toBeGreaterThan(0.75)
  })

  it('ends when the validation rows do not improve, with the best weights', async () => {
    const reports: EpochReport[] = []
    const plan = { ...fmPlan, training: { ...fmPlan.training, epochs: 60, patience: 1, learningRate: 0.04 } }
    const few = clicks(300, 1)
    const { metrics, epochs } = await train(plan, few, { validate: later, onEpoch: (report) => reports.push(report) })
    expect(epochs).toBeLessThan(60)
    const losses = reports.map(
      ({ validation }) => validation!.get('click')!.loss + 0.1 * validation!.get('dwell')!.loss,
    )
    expect(metrics.get('click')!.loss + 0.1 * metrics.get('dwell')!.loss).toBeCloseTo(Math.min(...losses), 6)
    expect(reports.at(-1).rate).toBeLessThan(plan.training.learningRate)
  })

  it('begins at the base rates of its heads, if that is asked for', async () => {
    const rare = {
      ...rows,
      labels: new Map([...rows.labels, ['click', rows.labels.get('click')!.map((_, row) => Number(row % 100 === 0))]]),
    }
    const plan = { ...fmPlan, training: { ...fmPlan.training, epochs: 1, learningRate: 1e-6 } }
    const { metrics } = await train(plan, rare, { atBaseRates: true })
    expect(metrics.get('click')!.loss).toBeLessThan(0.06)
    expect(metrics.get('click')!.loss).toBeLessThan((await train(plan, rare)).metrics.get('click')!.loss / 5)
    expect(metrics.get('dwell')!.loss).toBeLessThan((await train(plan, rare)).metrics.get('dwell')!.loss / 5)
  })

  it('calibrates a head on the validation rows, unless they have too few of one class', async () => {
    const plan = { ...fmPlan, heads: fmPlan.heads.map((head) => ({ ...head, calibrate: 'platt' as const })) }
    const fewEpochs = { ...plan, training: { ...plan.training, epochs: 2 } }
    const { parameters } = await train(fewEpochs, rows, { validate: later })
    expect(parameters.fitted.get('head:click')).toMatchObject({ slope: expect.any(Number) as number })
    const rare = later.labels.get('click')!.map((_, row) => Number(row < 5))
    const few = { ...later, labels: new Map([...later.labels, ['click', rare]]) }
    expect([...(await train(fewEpochs, rows, { validate: few })).parameters.fitted.keys()]).toEqual([])
  })

  it('does not end early because the validation rows lack the label of one head', async () => {
    const unknown = { ...later, labels: new Map([...later.labels, ['dwell', new Float32Array(later.rows).fill(NaN)]]) }
    const { epochs, metrics } = await train(fmPlan, clicks(300, 1), { validate: unknown })
    expect(epochs).toBeGreaterThan(6)
    expect(metrics.get('click')!.auc).toBeGreaterThan(0.6)
  })

  it('stops when the signal is aborted', async () => {
    const stopping = new AbortController()
    const pause = async (): Promise<void> => stopping.abort(new Error('enough'))
    await expect(train(fmPlan, rows, { signal: stopping.signal, pause })).rejects.toThrow('enough')
  })
})

describe('tables with many rows', () => {
  it('learn by the rows of the batch what a small table learns by its whole gradient', async () => {
    const wide = (tableRows: number) =>
      aPlan({
        inputs: { ...clickInputs, user: { kind: 'index', rows: tableRows, hashes: 1 } },
        nodes: [
          ['all', 'linear', ['user', 'pin'], { units: 2 }],
          ['logit', 'linear', ['all', 'rate']],
        ],
        heads: [{ name: 'click', value: 'logit' }],
        training: { epochs: 2, batchRows: 800 },
      })
    // With one batch an epoch, each step touches all rows in use, so both ways are the same arithmetic.
    const small = await train(wide(6), rows)
    const large = await train(wide(200_000), rows)
    const table = large.parameters.weights.get('all/table0')!.values
    const wanted = small.parameters.weights.get('all/table0')!.values
    for (const [at, value] of wanted.entries()) expect(table[at]).toBeCloseTo(value, 4)
    expect(table.slice(12).every((value) => value === 0)).toBe(true)
  })
})

describe('training of plans that are linear in ids', () => {
  it('learns without tensors, and the tensor program reads the same numbers from its weights', async () => {
    const { parameters, metrics } = await train(linearPlan, rows, { validate: later })
    expect(metrics.get('click')!.auc).toBeGreaterThan(0.55)
    expect(metrics.get('click')!.calibration).toBeCloseTo(1, 0)
    expect(parameters.weights.get('logit/numbers_kernel')!.values[0]).toBeGreaterThan(0.3)
    const scorer = createPlanScorer({ plan: linearPlan, parameters }, 'one')
    const predictions = Float64Array.from(scorer.score(later.inputs, later.rows).predictions)
    expect(figuresOf(linearPlan.heads[0]!, predictions, later).loss).toBeCloseTo(metrics.get('click')!.loss, 5)
    scorer.dispose()
  })

  it('learns from new rows alone when it goes on', async () => {
    const cold = await train(linearPlan, rows)
    const warm = await train(linearPlan, clicks(200, 4), { initial: cold.parameters, validate: later })
    const scratch = await train(linearPlan, clicks(200, 4), { validate: later })
    expect(warm.metrics.get('click')!.loss).toBeLessThan(scratch.metrics.get('click')!.loss)
  })
})

describe('training of plans that are linear in numbers', () => {
  const numbers = aPlan({
    inputs: { rate: { kind: 'scalar' } },
    nodes: [
      ['sum', 'linear', ['rate']],
      ['value', 'linear', ['rate']],
    ],
    heads: [
      { name: 'click', value: 'sum' },
      { name: 'dwell', kind: 'amount', value: 'value' },
    ],
  })
  const add = { id: 'logit', transform: 'add', args: ['sum', 'rate'], params: {}, ...scalarNode }
  const offset: typeof numbers = {
    ...numbers,
    nodes: [...numbers.nodes, add],
    heads: [{ ...numbers.heads[0]!, value: 'logit' }],
    utility: [{ head: 'click', weight: 1 }],
  }
  const free = { means: new Map(), precision: 1e-6 }

  it('finds the best weights in one epoch from any start, of probabilities and amounts', async () => {
    expect(isLearnedExactly(numbers)).toBe(true)
    expect([linearPlan, fmPlan].map(isLearnedExactly)).toEqual([false, false])
    const { parameters, metrics, epochs } = await train(numbers, rows, { prior: free })
    expect(epochs).toBe(1)
    expect(metrics.get('click')!.calibration).toBeCloseTo(1, 3)
    const weights = new Map(
      [...parameters.weights].map(([key, { shape, values }]) => [key, { shape, values: values.map((w) => w + 3) }]),
    )
    const again = await train(numbers, rows, { prior: free, initial: { ...parameters, weights } })
    for (const [key, { values }] of parameters.weights)
      for (const [at, value] of values.entries())
        expect(again.parameters.weights.get(key)!.values[at]).toBeCloseTo(value, 4)
    const [kernel, seconds] = ['sum', 'value'].map(
      (node) => parameters.weights.get(`${node}/numbers_kernel`)!.values[0]!,
    )
    expect(kernel).toBeGreaterThan(1)
    expect(Math.log1p(60) - Math.log1p(10)).toBeCloseTo(seconds!, 0)
  })

  it('takes a fixed number beside the sum as it is, and the tensor program predicts the same', async () => {
    const plain = await train(numbers, rows, { prior: free })
    const moved = await train(offset, rows, { prior: free })
    const kernelOf = ({ weights }: Parameters): number => weights.get('sum/numbers_kernel')!.values[0]!
    expect(kernelOf(moved.parameters)).toBeCloseTo(kernelOf(plain.parameters) - 1, 3)
    const model = { plan: offset, parameters: moved.parameters }
    const scorer = createPlanScorer(model, 'one')
    const served = scorer.score(later.inputs, later.rows).predictions
    for (const [row, p] of predictTable(model, later)[0]!.entries()) expect(served[row]).toBeCloseTo(p, 6)
    scorer.dispose()
  })

  it('stays at the prior with few rows', async () => {
    const means = new Map([['sum/numbers_kernel', { shape: [1, 1], values: Float32Array.of(-5) }]])
    const strong = await train(numbers, clicks(40, 5), { prior: { means, precision: 1e6 } })
    expect(strong.parameters.weights.get('sum/numbers_kernel')!.values[0]).toBeCloseTo(-5, 1)
  })

  it('learns the heads whose rows have both classes, if that is asked for', async () => {
    const labels = new Map([...rows.labels, ['hide', new Float32Array(rows.rows)]])
    const hide = { ...numbers.heads[0]!, name: 'hide', label: 'hide', value: 'value' }
    const plan = { ...numbers, heads: [numbers.heads[0]!, hide], utility: [] }
    await expect(train(plan, { ...rows, labels })).rejects.toMatchObject({ code: 'TRAINING_ONE_CLASS' })
    const { metrics } = await train(plan, { ...rows, labels }, { someOneClass: true })
    expect(metrics.get('hide')!.loss).toBeLessThan(0.01)
    await expect(train({ ...plan, heads: [hide] }, { ...rows, labels }, { someOneClass: true })).rejects.toMatchObject({
      code: 'TRAINING_ONE_CLASS',
    })
  })
})

describe('rows that cannot be learned', () => {
  const withLabel = (values: ArrayLike<number>): RowTable => ({
    ...clicks(values.length, 1),
    labels: new Map([['click', Float32Array.from(values)]]),
  })
  it.each([
    ['no rows', withLabel([]), 'TRAINING_WINDOW_EMPTY', /widen the training window/],
    ['one class', withLabel([1, 1, 1]), 'TRAINING_ONE_CLASS', /click is 1 in all 3 of 3 rows/],
    ['a label that is neither 0 nor 1', withLabel([0, 2, 1]), 'TRAINING_ONE_CLASS', /is 2; give 0 or 1/],
    ['unknown labels', withLabel([NaN, NaN]), 'TRAINING_LABEL_ABSENT', /no row has the label click/],
  ])('are refused: %s', async (_, table, code, message) => {
    await expect(train(linearPlan, table)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  it('are refused when the loss is no longer a number', async () => {
    const plan = { ...fmPlan, training: { ...fmPlan.training, learningRate: 1e30 } }
    await expect(train(plan, rows)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' })
  })
})
