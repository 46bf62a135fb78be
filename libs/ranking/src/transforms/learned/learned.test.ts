import { mulberry32 } from '@freshet/domain/mulberry32'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ValueType } from '../../plan/value-type.ts'
import { chooseBackend, type BackendChoice } from '../../tensor/backend.ts'
import { registerTrainingKernels } from '../../tensor/kernels.ts'
import { learnedTransform, learnedTransforms } from './catalogue.ts'
import { references } from './reference.fixture.ts'
import { argsOf, trainingForTests, weightsOf, type Example } from './testing.ts'

const vector = (size: number): ValueType => ({ kind: 'vector', size })
const scalar: ValueType = { kind: 'scalar' }
const index = (rows: number, hashes = 2) => ({ kind: 'index', rows, hashes }) as const
const sequence = (of: Extract<ValueType, { kind: 'index' } | { kind: 'vector' }>, max: number): ValueType => ({
  kind: 'sequence',
  of,
  max,
})

function example(transform: string, types: readonly ValueType[], given: Record<string, unknown>): Example {
  const found = learnedTransform(transform)!
  const params = found.params.parse(given) as Record<string, unknown>
  return { name: `${transform} ${JSON.stringify(given)}`, transform: found, types, params }
}

const examples: readonly Example[] = [
  example('embedding', [index(11), index(7, 1)], { size: 3 }),
  example('embedding', [index(11), index(7), index(5)], { size: 3 }),
  example('embedding', [sequence(index(11), 5)], { size: 3 }),
  example('embedding', [sequence(index(11), 5)], { size: 3, pool: 'sum' }),
  example('embedding', [sequence(index(11), 5)], { size: 3, pool: 'none' }),
  example('linear', [scalar, vector(4)], { units: 3 }),
  example('linear', [index(9), scalar, sequence(index(5), 4)], {}),
  example('linear', [index(9)], {}),
  example('mlp', [vector(5), scalar], { hidden: [7, 3], activation: 'tanh' }),
  example('mlp', [vector(5)], { hidden: [7], activation: 'elu', normalise: true }),
  example('mlp', [vector(5)], { hidden: [7, 4] }),
  example('dcn_v2', [vector(4), scalar], { cross: 2, hidden: [6] }),
  example('dcn_v2', [vector(4)], { cross: 3, low_rank: 2 }),
  example('dcn_v2', [vector(4)], { cross: 1, hidden: [3], parallel: false }),
  example('fm', [vector(6), vector(3)], { size: 3 }),
  example('bilinear', [vector(4), vector(6)], { units: 2, heads: 2 }),
  example('attend', [sequence({ kind: 'vector', size: 3 }, 4), vector(2), scalar], { heads: 2, size: 3 }),
  example('gate', [vector(4), vector(3)], { hidden: [5] }),
  example('gate', [vector(4)], {}),
]

function apply(given: Example, args: readonly Tensor[], weights: ReadonlyMap<string, Tensor>): Tensor {
  return given.transform.apply(args, given.params, weights, null)
}

beforeAll(async () => {
  await chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice)
  registerTrainingKernels()
})

describe.each(examples)('$name', (given) => {
  it('gives the shape that its type says', () => {
    const out = apply(given, argsOf(given, 6, 1), weightsOf(given, 2))
    const type = given.transform.typeOf(given.types, given.params) as ValueType
    if (type.kind === 'sequence') expect(out.shape).toEqual([6, type.max, 4])
    else expect(out.shape).toEqual([6, type.kind === 'vector' ? type.size : 1])
  })

  it('gives the numbers of its formula', () => {
    const args = argsOf(given, 6, 1)
    const weights = weightsOf(given, 2)
    const out = apply(given, args, weights).arraySync() as number[][]
    const plain = new Map([...weights].map(([name, weight]) => [name, weight.arraySync() as never]))
    for (let row = 0; row < 6; row++) {
      const inputs = args.map((arg) => (arg.arraySync() as never[])[row]!)
      const wanted = references[given.transform.name]!(inputs, given.params, plain)
      expect(out[row]!.flat()).toHaveLength(wanted.length)
      for (const [at, value] of out[row]!.flat().entries()) expect(value).toBeCloseTo(wanted[at]!, 4)
    }
  })

  // Normalised by the batch while it is trained, by running means when it serves: these differ.
  if (given.params['normalise'] !== true) {
    it('computes the same while it is trained', () => {
      const args = argsOf(given, 6, 1)
      const weights = weightsOf(given, 2)
      const trained = given.transform.apply(args, given.params, weights, trainingForTests(mulberry32(1)))
      expect(trained.dataSync()).toEqual(apply(given, args, weights).dataSync())
    })
  }

  it('has the gradient that finite differences show', () => {
    const args = argsOf(given, 6, 3)
    const weights = weightsOf(given, 4)
    const trained = given.transform.weights(given.types, given.params).filter(({ isObserved }) => isObserved !== true)
    const loss = (all: ReadonlyMap<string, Tensor>): tf.Scalar =>
      tf.sum(tf.square(given.transform.apply(args, given.params, all, trainingForTests(mulberry32(1)))))
    for (const { name } of trained) {
      const differentiate = tf.grad((weight) => loss(new Map([...weights, [name, weight]])))
      const gradient = differentiate(weights.get(name)!).dataSync() as Float32Array
      const values = weights.get(name)!.dataSync() as Float32Array
      const at = gradient.reduce(
        (best, value, place) => (Math.abs(value) > Math.abs(gradient[best]!) ? place : best),
        0,
      )
      const moved = (by: number): number => {
        const changed = values.slice()
        changed[at]! += by
        return loss(new Map([...weights, [name, tf.tensor(changed, weights.get(name)!.shape)]])).dataSync()[0]!
      }
      const step = 5e-3
      const slope = (moved(step) - moved(-step)) / (2 * step)
      expect(Math.abs(slope - gradient[at]!)).toBeLessThan(0.02 * Math.abs(gradient[at]!) + 2e-3)
    }
  })

  it('gives a row the same bits whatever the other rows are', () => {
    const weights = weightsOf(given, 5)
    const args = argsOf(given, 192, 6)
    const whole = apply(given, args, weights).dataSync()
    const part = apply(
      given,
      args.map((arg) =>
        tf.slice(
          arg,
          arg.shape.map(() => 0),
          [64, ...arg.shape.slice(1)],
        ),
      ),
      weights,
    ).dataSync()
    expect(part).toEqual(whole.slice(0, part.length))
  })
})

describe('attend', () => {
  it('hides the newest elements at random while training', () => {
    const given = example('attend', [sequence({ kind: 'vector', size: 3 }, 4), vector(2)], { mask_recent: 4 })
    const weights = weightsOf(given, 2)
    const args = argsOf(given, 6, 1)
    const hideAll = { ...trainingForTests(() => 0.999) }
    expect(
      given.transform
        .apply(args, given.params, weights, hideAll)
        .dataSync()
        .every((x) => x === 0),
    ).toBe(true)
    const hideNone = given.transform.apply(args, given.params, weights, { ...trainingForTests(() => 0) }).dataSync()
    expect(hideNone).toEqual(apply(given, args, weights).dataSync())
  })
})

describe('batch normalisation', () => {
  it('observes the mean and the variance of the batch', () => {
    const given = example('mlp', [vector(2)], { hidden: [2], normalise: true })
    const seen = new Map<string, number[]>()
    const training = {
      ...trainingForTests(() => 0),
      observe: (n: string, x: Tensor) => void seen.set(n, [...x.dataSync()]),
    }
    const weights = new Map([...weightsOf(given, 1), ['layer0_kernel', tf.eye(2)], ['layer0_bias', tf.zeros([2])]])
    given.transform.apply([tf.tensor2d([1, 5, 3, 5], [2, 2])], given.params, weights, training)
    expect(seen.get('layer0_mean')).toEqual([2, 5])
    expect(seen.get('layer0_variance')).toEqual([1, 0])
  })
})

describe('learned transforms', () => {
  it('have an example here', () => {
    expect(new Set(examples.map(({ transform }) => transform.name))).toEqual(
      new Set(learnedTransforms.map(({ name }) => name)),
    )
  })

  it.each([
    ['embedding', [{ kind: 'category' } as const], { size: 2 }, /needs an index; hash/],
    ['embedding', [], { size: 2 }, /at least one index/],
    ['linear', [sequence({ kind: 'vector', size: 2 }, 3)], {}, /pool\(…\) or attend/],
    ['mlp', [index(4)], { hidden: [2] }, /embedding\(…\) makes a vector/],
    ['fm', [vector(5)], { size: 2 }, /5 numbers/],
    ['bilinear', [vector(4)], {}, /two vectors/],
    ['attend', [vector(4), vector(2)], {}, /sequence of numbers/],
  ] as const)('say what is wrong with the arguments of %s', (name, types, given, problem) => {
    const { transform, params } = example(name, types, given)
    expect((transform.typeOf(types, params) as { problem: string }).problem).toMatch(problem)
  })
})
