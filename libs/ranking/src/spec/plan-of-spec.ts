import type { Parameters, TrainedModel, Weights } from '../model/trained-model.ts'
import type { Plan, PlanHead, PlanNode, TrainingPlan } from '../plan/plan.ts'
import type { Transform } from './transforms/catalogue.ts'
import { nameOfTransform } from './transforms/catalogue.ts'
import type { RankingSpec } from './spec.ts'

const scalar = { kind: 'scalar' } as const

/** The position at which a pin was shown. Only training knows it; a model serves as if each pin were shown first. */
const positionInput = 'position'

/** Not used: a logistic regression with a prior has none of these. */
const training: TrainingPlan = { epochs: 1, batchRows: 1, learningRate: 1, l2: 0, dropout: 0, patience: 1 }

/**
 * The plan of a spec in JSON: each feature is an input, its scaling a node, each action a linear head over all of them, and the
 * position an input of training only.
 */
export function planOfSpec({ features, models, worth }: RankingSpec, name: string): Plan {
  const scaled: readonly PlanNode[] = [
    ...features.map(({ name: feature, transform }) => scaling(feature, transform)),
    scaling(positionInput, 'log1p'),
  ]
  const heads = models.map(({ action }): PlanHead => ({
    name: action,
    kind: 'probability',
    label: action,
    value: action,
    lossWeight: 1,
    calibrate: 'none',
  }))
  return {
    format: 1,
    spec: name,
    inputs: [...features.map((feature) => feature.name), positionInput].map((input) => ({
      name: input,
      type: scalar,
      side: 'candidate',
    })),
    nodes: [...scaled, ...models.map(({ action }) => headNode(action, scaled))],
    firstPhase: null,
    heads,
    utility: models.map(({ action }, at) => ({ head: action, weight: worth[at]! })),
    exposed: features.map((feature) => feature.name),
    trainingOnly: [{ input: positionInput, servingValue: 0 }],
    training,
  }
}

/** Parameters of a plan of `planOfSpec`: for each action the weights of its scalings, the position last, and the bias. */
export function linearParameters(
  heads: readonly { readonly action: string; readonly bias: number; readonly weights: readonly number[] }[],
): Parameters {
  return {
    fitted: new Map(),
    weights: new Map(
      heads.flatMap(({ action, bias, weights }): (readonly [string, Weights])[] => [
        [`${action}/numbers_bias`, { shape: [1], values: Float32Array.of(bias) }],
        [`${action}/numbers_kernel`, { shape: [weights.length, 1], values: Float32Array.from(weights) }],
      ]),
    ),
  }
}

/** The spec that serves a model of a plan of `planOfSpec`: its weights without the position, which counts 0. */
export function specOfModel({ plan, parameters }: TrainedModel, version: string): RankingSpec {
  const inputs = plan.inputs.map(({ name }) => name).filter((name) => name !== positionInput)
  const weightsOf = (key: string): Float32Array => parameters.weights.get(key)?.values ?? new Float32Array()
  return {
    version,
    features: inputs.map((name) => ({ name, transform: transformOf(plan, name) })),
    models: plan.heads.map(({ name: action }) => ({
      action,
      bias: weightsOf(`${action}/numbers_bias`)[0] ?? 0,
      weights: [...weightsOf(`${action}/numbers_kernel`).subarray(0, inputs.length)],
    })),
    worth: plan.heads.map(({ name }) => plan.utility.find(({ head }) => head === name)?.weight ?? 0),
  }
}

function scaling(input: string, transform: Transform): PlanNode {
  const name = nameOfTransform(transform)
  const params = typeof transform === 'string' ? {} : { setting: Object.values(transform)[0] as unknown }
  return { id: `${input}#scaled`, transform: name, args: [input], params, type: scalar, side: 'candidate' }
}

function transformOf({ nodes }: Plan, input: string): Transform {
  const node = nodes.find(({ id }) => id === `${input}#scaled`)
  const setting = node?.params['setting']
  return (setting === undefined ? (node?.transform ?? 'identity') : { [node!.transform]: setting }) as Transform
}

function headNode(action: string, scaled: readonly PlanNode[]): PlanNode {
  const args = scaled.map(({ id }) => id)
  return { id: action, transform: 'linear', args, params: { units: 1 }, type: scalar, side: 'candidate' }
}
