import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createLogisticScorer } from './logistic.ts'
import { parseSpec } from '../spec/parse.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'

const features = Array.from({ length: 23 }, (_, at) => `feature-${at}`)
const spec = parseSpec(
  JSON.stringify({
    version: 'test-1',
    features: Object.fromEntries(
      features.map((name, at) => [
        name,
        { transform: (['log1p', { range: [0, 8] }, 'identity', { log: 0.5 }, 'signed-log1p'] as const)[at % 5] },
      ]),
    ),
    actions: {
      click: { worth: 1, bias: -1, weights: Object.fromEntries(features.map((name, at) => [name, Math.sin(at)])) },
      save: { worth: 3, bias: -2, weights: { 'feature-0': 0.5 } },
      hide: { worth: -5, bias: -4, weights: { 'feature-1': 1 } },
    },
  }),
  { features, actions: ['click', 'save', 'hide'] },
)

function rowsOf(candidates: number): Float32Array {
  return Float32Array.from({ length: candidates * features.length }, (_, at) => Math.sin(at * 12.9898) * 10)
}

/** The same formula in plain double arithmetic. */
function reference(rows: Float32Array, row: number): number {
  return spec.models.reduce((utility, model, at) => {
    const logit = model.weights.reduce((sum, weight, column) => {
      const value = rows[row * features.length + column]!
      const signed = Math.sign(value) * Math.log1p(Math.abs(value))
      const positive = Math.max(0, value)
      const scaled = [Math.log1p(positive), Math.min(1, positive / 8), value, Math.log(Math.max(0.5, value)), signed][
        column % 5
      ]!
      return sum + weight * scaled
    }, model.bias)
    return utility + spec.worth[at]! / (1 + Math.exp(-logit))
  }, 0)
}

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

describe('logistic scorer', () => {
  it('computes on the chosen backend', () => {
    expect(tf.getBackend()).toBe(process.env['TENSORFLOW_BACKEND'] ?? 'wasm')
  })

  it('gives the utility of the formula', () => {
    const scorer = createLogisticScorer(spec)
    const rows = rowsOf(500)
    const { utilities, probabilities } = scorer.score(rows, 500)
    for (const row of [0, 1, 250, 499]) expect(utilities[row]).toBeCloseTo(reference(rows, row), 3)
    expect(probabilities.every((p) => p >= 0 && p <= 1)).toBe(true)
    expect(probabilities).toHaveLength(1500)
    scorer.dispose()
  })

  it('gives the same bits whatever the other candidates of the page are', () => {
    const scorer = createLogisticScorer(spec)
    const rows = rowsOf(500)
    const whole = scorer.score(rows, 500)
    for (const size of [1, 2, 3, 5, 7, 15, 17, 63, 64, 65, 333, 499]) {
      const part = scorer.score(rows.slice(0, size * features.length), size)
      expect(part.utilities).toEqual(whole.utilities.slice(0, size))
    }
    scorer.dispose()
  })

  it('gives the same bits at every position of the page', () => {
    const scorer = createLogisticScorer(spec)
    const rows = rowsOf(131)
    const whole = scorer.score(rows, 131)
    for (const first of [1, 4, 63, 64, 100]) {
      const part = scorer.score(rows.slice(first * features.length), 131 - first)
      expect(part.utilities).toEqual(whole.utilities.slice(first))
    }
    scorer.dispose()
  })

  it('answers an empty page', () => {
    const scorer = createLogisticScorer(spec)
    expect(scorer.score(new Float32Array(), 0).utilities).toHaveLength(0)
    scorer.dispose()
  })

  it('leaves no tensors behind', () => {
    const before = tf.memory().numTensors
    const scorer = createLogisticScorer(spec)
    scorer.score(rowsOf(10), 10)
    scorer.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})
