import { beforeAll, describe, expect, it } from 'vitest'
import type { ServingModel } from '../serving/serving-model.ts'
import { noPinFacts, unknownPage } from '../serving/page.ts'
import { createSpecModel } from '../serving/spec-model.ts'
import { artefactOf, deepSpecText, linearSpecText, planOfText, randomModel } from '../serving/testing.ts'
import type { TrainedModel } from '../model/trained-model.ts'
import { parsePlan } from '../plan/parse-plan.ts'
import { canonicalJson } from '../plan/plan.ts'
import { linearParameters, planOfSpec } from '../spec/plan-of-spec.ts'
import type { RankingSpec } from '../spec/spec.ts'
import { chooseBackend, type BackendChoice } from '../tensor/backend.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { artefactSource } from './source.ts'

const linear = randomModel(planOfText(linearSpecText('lin')), 1)

function build(
  model: TrainedModel,
  change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Promise<ServingModel> {
  const { bytes, record } = artefactOf(model, 'm-1')
  return artefactSource(record, async () => change(bytes)).build()
}

/** A plan with one input renamed. */
function renamed({ plan, parameters }: TrainedModel, from: string, to: string): TrainedModel {
  return { plan: JSON.parse(JSON.stringify(plan).replaceAll(`"${from}"`, `"${to}"`)) as typeof plan, parameters }
}

beforeAll(() => chooseBackend((process.env['TENSORFLOW_BACKEND'] ?? 'wasm') as BackendChoice))

describe('the model of an artefact', () => {
  it.each([
    ['linear', linear],
    ['deep', randomModel(planOfText(deepSpecText), 2)],
  ])('scores pages with a %s plan', async (_kind, model) => {
    const serving = await build(model)
    const { utilities, predictions } = serving.score(unknownPage(70), noPinFacts)
    expect(utilities.every(Number.isFinite)).toBe(true)
    expect(predictions).toHaveLength(70 * model.plan.heads.length)
    serving.dispose()
  })

  it('scores a spec in JSON as its own weights do, to the precision of 32-bit floats', async () => {
    const spec: RankingSpec = {
      version: 'j-1',
      features: [
        { name: 'retrieval_score', transform: { log: 0.001 } },
        { name: 'pin_age', transform: 'log1p' },
        { name: 'topic_affinity', transform: 'signed-log1p' },
        { name: 'hour_sin', transform: { range: [-1, 3] } },
        { name: 'hour_cos', transform: 'identity' },
      ],
      models: [
        { action: 'click', bias: -1, weights: [0.5, -0.2, 0.3, 0.7, -0.4] },
        { action: 'hide', bias: -2, weights: [-0.5, 0.2, 0.1, 0.1, 0.9] },
      ],
      worth: [2, -3],
      exploration: [],
    }
    const plan = planOfSpec(spec, 'home')
    expect(() => parsePlan(canonicalJson(plan), transformCatalogue)).not.toThrow()
    const parameters = linearParameters(
      spec.models.map(({ action, bias, weights }) => ({ action, bias, weights: [...weights, -0.3] })),
    )
    const trained = await build({ plan, parameters })
    const own = createSpecModel(spec)
    const page = { ...unknownPage(100), retrievalScores: Float32Array.from({ length: 100 }, (_, at) => at / 30) }
    const [a, b] = [trained.score(page, noPinFacts), own.score(page, noPinFacts)]
    expect(trained.featureNames).toEqual(own.featureNames)
    expect(a.features).toEqual(b.features)
    for (const [at, utility] of a.utilities.entries()) expect(utility).toBeCloseTo(b.utilities[at]!, 5)
    for (const [at, prediction] of a.predictions.entries()) expect(prediction).toBeCloseTo(b.predictions[at]!, 5)
    trained.dispose()
    own.dispose()
  })

  it('gives the deviations of a plan that explores, at least 0, and none for other plans', async () => {
    const pages = { ...unknownPage(3), retrievalScores: Float32Array.of(-1, 0.5, 4) }
    const deviationsOf = async (text: string) => {
      const serving = await build(randomModel(planOfText(text), 1))
      const { deviations } = serving.score(pages, noPinFacts)
      serving.dispose()
      return deviations && [...deviations]
    }
    const text = linearSpecText('explorer')
    expect(await deviationsOf(text)).toBeNull()
    expect(await deviationsOf(`${text}explore = 2 * candidate.retrieval_score`)).toEqual([0, 1, 8])
    expect(await deviationsOf(`${text}explore = 0.5`)).toEqual([0.5, 0.5, 0.5])
    expect(await deviationsOf(`${text}first phase keep 2 by candidate.retrieval_score\nexplore = 0.5`)).toEqual([
      0, 0.5, 0.5,
    ])
  })

  it('explores as a spec in JSON says', async () => {
    const features = ['retrieval_score', 'pin_age'].map((name) => ({ name, transform: 'log1p' as const }))
    const exploration = [
      { feature: 'retrieval_score', weight: 2 },
      { feature: 'pin_age', weight: 0.5 },
    ]
    const models = [{ action: 'click', bias: -1, weights: [0.5, -0.2] }]
    const plan = planOfSpec({ version: 'j-2', features, models, worth: [1], exploration }, 'home')
    expect(() => parsePlan(canonicalJson(plan), transformCatalogue)).not.toThrow()
    const parameters = linearParameters([{ action: 'click', bias: 0, weights: [0, 0, 0] }])
    const serving = await build({ plan, parameters })
    const { features: rows, deviations } = serving.score(
      { ...unknownPage(2), retrievalScores: Float32Array.of(1, 3) },
      noPinFacts,
    )
    expect([...deviations!]).toEqual([2 + 0.5 * rows[1]!, 6 + 0.5 * rows[3]!])
    serving.dispose()
  })

  it.each<readonly [string, string, RegExp, () => Promise<ServingModel>]>([
    ['cut bytes', 'MODEL_ARTEFACT_TRUNCATED', /bytes of/, () => build(linear, (bytes) => bytes.slice(0, -5))],
    [
      'missing weights',
      'MODEL_WEIGHTS_MISFIT',
      /the weights click\/numbers_kernel are missing/,
      () => {
        const weights = new Map(linear.parameters.weights)
        weights.delete('click/numbers_kernel')
        return build({ ...linear, parameters: { ...linear.parameters, weights } })
      },
    ],
    [
      'missing statistics',
      'MODEL_WEIGHTS_MISFIT',
      /age \(\w+\) has no statistics/,
      () => build({ ...linear, parameters: { ...linear.parameters, fitted: new Map() } }),
    ],
    [
      'an unknown transform',
      'MODEL_TRANSFORM_UNKNOWN',
      /standardize \(did you mean standardise\?\)/,
      () => build(renamed(linear, 'standardise', 'standardize')),
    ],
    [
      'an input that serving does not have',
      'MODEL_MISMATCHED',
      /serving has no input "pin\.aeg"; did you mean "pin\.age"\?/,
      () => build(renamed(linear, 'pin.age', 'pin.aeg')),
    ],
    [
      'an input of another type',
      'MODEL_MISMATCHED',
      /the input pin\.creator is scalar in the plan and category in serving/,
      () => build(renamed(linear, 'pin.age', 'pin.creator')),
    ],
    [
      'an input that only training knows',
      'MODEL_MISMATCHED',
      /only training knows the input candidate\.position/,
      () => build({ ...linear, plan: { ...linear.plan, trainingOnly: [] } }),
    ],
    [
      'a node before its argument',
      'PLAN_INVALID',
      /not an input or an earlier node/,
      () => build({ ...linear, plan: { ...linear.plan, nodes: linear.plan.nodes.toReversed() } }),
    ],
  ])('is refused for %s', async (_what, code, why, built) => {
    const error = await built().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringMatching(why) as string })
  })

  it('is refused if the file or the plan is not the one that the registry names', async () => {
    const { bytes, record } = artefactOf(linear, 'm-1')
    const get = async (): Promise<Uint8Array> => bytes
    const other = artefactSource({ ...record, sha256: '0'.repeat(64) }, get)
    await expect(other.build()).rejects.toMatchObject({ code: 'MODEL_ARTEFACT_DAMAGED' })
    await expect(artefactSource({ ...record, planHash: '0'.repeat(16) }, get).build()).rejects.toMatchObject({
      code: 'MODEL_PLAN_DIFFERS',
    })
  })
})
