import { mulberry32 } from '@freshet/domain/mulberry32'
import { compileSpec } from '@freshet/ranking/language/compile'
import { servingInputs } from '@freshet/ranking/language/serving-inputs'
import { calibrationName } from '@freshet/ranking/model/head-prediction'
import type { TrainedModel } from '@freshet/ranking/model/trained-model'
import type { Column } from '@freshet/ranking/plan/column'
import { fitPlan } from '@freshet/ranking/plan/fit-plan'
import { createPlanModel } from '@freshet/ranking/serving/plan-model'
import type { ModelSource } from '@freshet/ranking/serving/serving-model'
import { compileTensorProgram } from '@freshet/ranking/tensor/program'
import { initialWeights } from '@freshet/ranking/training/initial-weights'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'

/** Features of the catalogue that the model reads. */
export const rankFeatures = [
  ...['retrieval_score', 'retrieval_rank', 'source_count', 'topic_affinity', 'creator_affinity', 'board_affinity'],
  ...['topic_recency', 'creator_recency', 'follows_creator', 'follows_topic', 'pin_acted_recency', 'seen_before'],
  ...['seen_recency', 'topic_impressions', 'topic_save_rate', 'topic_click_rate', 'topic_hide_rate'],
  ...['topic_save_rate_recent', 'topic_save_uncertainty', 'user_creator_impressions', 'user_creator_save_rate'],
  ...['user_creator_hide_rate', 'user_creator_save_uncertainty', 'memboost', 'users', 'age', 'silence'],
  ...['smoothed_impressions', 'smoothed_closeup_rate', 'smoothed_click_rate', 'smoothed_save_rate'],
  ...['smoothed_hide_rate', 'smoothed_save_uncertainty', 'topic_overall_save_rate', 'creator_overall_save_rate'],
].map((name) => servingName(name))

const heads = ['closeup', 'click', 'save', 'hide'] as const

/** The name in a spec: which of the prefixes serving knows it by. */
function servingName(name: string): string {
  const found = servingInputs.find((input) => input.name === `candidate.${name}` || input.name === `pin.${name}`)
  if (found === undefined) throw new Error(`serving has no input ${name}`)
  return found.name
}

const spec = `spec benchmark
input ${rankFeatures.join(', ')}
layer trunk = dcn_v2(standardise(signed_log1p(concat(${rankFeatures.join(', ')}))), cross: 2, hidden: [64, 32])
${heads.map((head) => `head ${head}: probability = linear(trunk), calibrate: platt`).join('\n')}
utility = closeup + 2 * click + 4 * save - 10 * hide
`

/** A model of four actions with random weights, which differ by `seed`; fitted to random numbers. */
function rankModel(seed: number): TrainedModel {
  const { plan } = compileSpec(spec, {
    file: 'rank.rank',
    catalogue: transformCatalogue,
    inputs: servingInputs,
    readFile: (path) => {
      throw new Error(`the spec extends ${path}`)
    },
  })
  const random = mulberry32(1)
  const rows = 200
  const draw = (): Column => ({
    kind: 'numbers',
    rows,
    width: 1,
    values: Float32Array.from({ length: rows }, () => 10 * random()),
  })
  const inputs = new Map(plan.inputs.map(({ name }) => [name, draw()]))
  const fitted = fitPlan(
    plan,
    { rows, inputs, labels: new Map(), weights: null },
    { seed: 1, catalogue: transformCatalogue },
  )
  const calibrations = heads.map((head) => [calibrationName(head), { slope: 1, intercept: -2 }] as const)
  const weights = initialWeights(compileTensorProgram(plan).weights, seed)
  return { plan, parameters: { weights, fitted: new Map([...fitted, ...calibrations]) } }
}

/** The source of such a model. */
export function rankSource(seed: number): ModelSource {
  const name = `benchmark ${seed}`
  return { name, build: () => Promise.resolve(createPlanModel(rankModel(seed), `m${seed}`, name)) }
}
