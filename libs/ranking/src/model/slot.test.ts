import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import { ModelError } from './model-error.ts'
import { noPinFacts, unknownPage } from '../serving/page.ts'
import type { ServingModel } from '../serving/serving-model.ts'
import { openModelSlot, type ModelSlot } from './slot.ts'
import { biasedSource } from './testing.ts'

const backend = (process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice

/** A source of a model with some parts replaced. It counts calls of `dispose`. */
function tampered(parts: Partial<ServingModel>) {
  let disposed = 0
  const source = {
    name: 'tampered.json',
    build: async (): Promise<ServingModel> => {
      const whole = await biasedSource('tampered', 0).build()
      const dispose = () => {
        disposed++
        whole.dispose()
      }
      return { ...whole, ...parts, dispose }
    },
  }
  return { source, disposals: () => disposed }
}

const versionOf = (models: ModelSlot): string => models.use((model) => model.version)

/** The version of the model, and its first utility for a page of ten candidates. */
function scoreWith(model: ServingModel): readonly [string, number] {
  const { utilities } = model.score(unknownPage(10), noPinFacts)
  return [model.version, utilities[0]!]
}

beforeAll(() => chooseBackend(backend))

describe('model slot', () => {
  it('serves the new model immediately, and frees the old one', async () => {
    const before = tf.memory().numTensors
    const models = await openModelSlot(biasedSource('one', -1))
    const [, lower] = models.use(scoreWith)
    const model = await models.swap(biasedSource('two', 1))
    expect(model.version).toBe('two')
    const [version, higher] = models.use(scoreWith)
    expect(version).toBe('two')
    expect(higher).toBeGreaterThan(lower)
    expect(tf.memory().numTensors).toBe(before + 2)
    expect(models.stats()).toEqual({ swapped: 1, refused: 0 })
    await models.close()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('has as many tensors after 100 swaps as before them', async () => {
    const models = await openModelSlot(biasedSource('m-0', 0))
    const before = tf.memory().numTensors
    for (let n = 1; n <= 100; n++) {
      await models.swap(biasedSource(`m-${n}`, n / 100))
      expect(tf.memory().numTensors).toBe(before)
      expect(models.use(scoreWith)[0]).toBe(`m-${n}`)
    }
    await models.close()
  })

  it('gives each work the same model from its first step to its last, however many swaps happen in between', async () => {
    const models = await openModelSlot(biasedSource('m-0', 0))
    const alone = new Map<string, number>()
    for (let n = 0; n < 8; n++) {
      const slot = await openModelSlot(biasedSource(`m-${n}`, n))
      const [version, utility] = slot.use(scoreWith)
      alone.set(version, utility)
      await slot.close()
    }
    const before = tf.memory().numTensors
    const works = Array.from({ length: 200 }, (_, at) =>
      models.use(async (model) => {
        const first = scoreWith(model)
        for (let step = 0; step < at % 20; step++) await new Promise(setImmediate)
        return [first, scoreWith(model)] as const
      }),
    )
    const swaps = Array.from({ length: 7 }, (_, n) => models.swap(biasedSource(`m-${n + 1}`, n + 1)))
    const later = swaps.map((swap) =>
      swap.then(() => models.use(async (model) => [scoreWith(model), scoreWith(model)])),
    )
    for (const pair of await Promise.all([...works, ...later])) {
      const [[version, utility], last] = pair as readonly [readonly [string, number], readonly [string, number]]
      expect(last).toEqual([version, utility])
      expect(utility).toBe(alone.get(version))
    }
    expect(versionOf(models)).toBe('m-7')
    expect(tf.memory().numTensors).toBe(before)
    await models.close()
  })

  it('keeps the tensors of a replaced model until the last work with it has ended or failed', async () => {
    const models = await openModelSlot(biasedSource('old', 0))
    const before = tf.memory().numTensors
    const gate = Promise.withResolvers<undefined>()
    const held = models.use(async (model) => (await gate.promise, scoreWith(model)))
    const failing = models.use(() => gate.promise.then(() => Promise.reject(new Error('failed'))))
    await models.swap(biasedSource('new', 1))
    expect(tf.memory().numTensors).toBe(before + 2)
    gate.resolve(undefined)
    expect((await held)[0]).toBe('old')
    await expect(failing).rejects.toThrow('failed')
    expect(tf.memory().numTensors).toBe(before)
    expect(() =>
      models.use(() => {
        throw new Error('at once')
      }),
    ).toThrow('at once')
    await models.swap(biasedSource('newest', 2))
    expect(tf.memory().numTensors).toBe(before)
    await models.close()
  })

  const amount = { name: 'dwell', kind: 'amount' } as const
  const wrong = (utility: number, prediction: number): Partial<ServingModel> => ({
    score: ({ pinIds }) => ({
      utilities: new Float32Array(pinIds.length).fill(utility),
      predictions: new Float32Array(pinIds.length * 2).fill(prediction),
      deviations: null,
      features: new Float32Array(pinIds.length * 3),
      facts: [],
      exposed: new Float32Array(),
      readRows: () => ({ features: new Float32Array(), facts: [] }),
    }),
  })
  it.each<readonly [string, Partial<ServingModel>, RegExp]>([
    [
      'utilities that are NaN',
      wrong(NaN, 0),
      /tampered \(plan [0-9a-f]{16}, from tampered\.json\) gives utilities that are not finite/,
    ],
    ['probabilities above 1', wrong(1, 1.5), /probabilities of click outside of \[0, 1\]/],
    ['probabilities that are NaN', wrong(1, NaN), /probabilities of click outside of \[0, 1\]/],
    [
      'amounts below 0',
      { ...wrong(1, -1), heads: [amount, amount] },
      /amounts of dwell that are negative or not finite/,
    ],
    ['infinite amounts', { ...wrong(1, Infinity), heads: [amount, amount] }, /amounts of dwell that are/],
    ['too few predictions', { heads: [amount, amount, amount] }, /2 predictions for 1 candidates and 3 heads/],
    ['too few exposed values', { exposedNames: ['lift'] }, /gives 0 exposed values for 1 candidates and 1 names/],
    ['too few features', { featureNames: ['pin_age'] }, /gives 3 features for 1 candidates and 1 names/],
    [
      'an error',
      {
        score: () => {
          throw new Error('no page')
        },
      },
      /cannot score: no page/,
    ],
  ])('rejects a model with %s by name, frees it and serves the old one', async (_what, parts, why) => {
    const models = await openModelSlot(biasedSource('old', 0))
    const before = tf.memory().numTensors
    const { source, disposals } = tampered(parts)
    const error = await models.swap(source).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({ code: 'MODEL_BROKEN', message: expect.stringMatching(why) as string })
    expect(disposals()).toBe(1)
    expect(tf.memory().numTensors).toBe(before)
    expect(versionOf(models)).toBe('old')
    expect(models.stats()).toEqual({ swapped: 0, refused: 1 })
    await models.close()
  })

  it('rejects a model that cannot be built, and takes the next one that can', async () => {
    const models = await openModelSlot(biasedSource('old', 0))
    const bad = { name: 'bad', build: () => Promise.reject(new Error('half a file')) }
    const [failed, swapped] = await Promise.allSettled([models.swap(bad), models.swap(biasedSource('new', 1))])
    expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'half a file' } })
    expect(swapped.status).toBe('fulfilled')
    expect(versionOf(models)).toBe('new')
    expect(models.stats()).toEqual({ swapped: 1, refused: 1 })
    await models.close()
  })

  it('does not open with a model that cannot serve', async () => {
    const before = tf.memory().numTensors
    await expect(openModelSlot(tampered(wrong(NaN, 0)).source)).rejects.toThrow(ModelError)
    expect(tf.memory().numTensors).toBe(before)
  })

  it('does not swap a model for the same one', async () => {
    const models = await openModelSlot(biasedSource('same', 0))
    const before = tf.memory().numTensors
    const serving = models.use((model) => model)
    expect(await models.swap(biasedSource('same', 0))).toBe(serving)
    expect(models.stats().swapped).toBe(0)
    expect(tf.memory().numTensors).toBe(before)
    await models.swap(biasedSource('same', 0.5))
    expect(models.stats().swapped).toBe(1)
    await models.close()
  })

  it('waits for a running swap when it closes, and frees everything', async () => {
    const before = tf.memory().numTensors
    const models = await openModelSlot(biasedSource('one', 0))
    const swap = models.swap(biasedSource('two', 0))
    await models.close()
    await swap
    expect(tf.memory().numTensors).toBe(before)
  })
})
