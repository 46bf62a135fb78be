import type { Parameters, Weights } from '../model/trained-model.ts'
import type { Plan, PlanHead, PlanNode, TrainingPlan } from '../plan/plan.ts'
import type { Transform } from './transforms/catalogue.ts'
import type { RankingSpec } from './spec.ts'

const scalar = { kind: 'scalar' } as const

/** The position at which a pin was shown. Only training knows it; a model serves as if each pin were shown first. */
const positionInput = 'position'

/** Not used: a logistic regression with a prior has none of these. */
const training: TrainingPlan = { epochs: 1, batchRows: 1, learningRate: 1, l2: 0, dropout: 0, patience: 1 }

/** The node of all scaled numbers side by side, the position last. */
const allNode = 'features#all'

/**
 * The plan of a spec in JSON: each feature is an input, its scaling one or more nodes, each action a linear head over all of
 * them, and the position an input of training only. Inputs have the names of the catalogue of features.
 */
export function planOfSpec({ features, models, worth, exploration }: RankingSpec, name: string): Plan {
  const scalings = [
    ...features.map(({ name: feature, transform }) => scaling(feature, transform)),
    scaling(positionInput, 'log1p'),
  ]
  const all: PlanNode = {
    id: allNode,
    transform: 'concat',
    args: scalings.map(({ result }) => result),
    params: {},
    type: { kind: 'vector', size: scalings.length },
    side: 'candidate',
  }
  const chance = explorationNodes(exploration)
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
    nodes: [
      ...scalings.flatMap(({ nodes }) => nodes),
      all,
      ...models.map(({ action }) => scalarNode(action, 'linear', [allNode], { units: 1 })),
      ...chance,
    ],
    firstPhase: null,
    ...(chance.length > 0 && { exploration: chance.at(-1)!.id }),
    heads,
    utility: models.map(({ action }, at) => ({ head: action, weight: worth[at]! })),
    exposed: [],
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

/** The nodes that scale an input, and the name of the last one; without a scaling the input itself. */
interface Scaling {
  readonly nodes: readonly PlanNode[]
  readonly result: string
}

function scaling(input: string, transform: Transform): Scaling {
  const result = `${input}#scaled`
  if (transform === 'identity') return { nodes: [], result: input }
  if (typeof transform === 'string')
    return { nodes: [scalarNode(result, transform === 'log1p' ? 'log1p' : 'signed_log1p', [input])], result }
  if ('log' in transform) return { nodes: [scalarNode(result, 'log', [input], { floor: transform.log })], result }
  const [from, to] = transform.range
  const nodes = [
    scalarNode(`${input}#from`, 'constant', [], { value: from }),
    scalarNode(`${input}#above`, 'subtract', [input, `${input}#from`]),
    scalarNode(`${input}#span`, 'constant', [], { value: to - from }),
    scalarNode(`${input}#part`, 'divide', [`${input}#above`, `${input}#span`]),
    scalarNode(result, 'clip', [`${input}#part`], { low: 0, high: 1 }),
  ]
  return { nodes, result }
}

/** The nodes of Σ weight · feature; the last one is the sum. */
function explorationNodes(exploration: RankingSpec['exploration']): readonly PlanNode[] {
  const nodes: PlanNode[] = []
  let sum: string | null = null
  for (const { feature, weight } of exploration) {
    const term = `explore#${feature}`
    nodes.push(
      scalarNode(`${term}#weight`, 'constant', [], { value: weight }),
      scalarNode(term, 'multiply', [`${term}#weight`, feature]),
    )
    if (sum === null) {
      sum = term
      continue
    }
    nodes.push(scalarNode(`${term}#sum`, 'add', [sum, term]))
    sum = `${term}#sum`
  }
  return nodes
}

function scalarNode(id: string, transform: string, args: readonly string[], params: PlanNode['params'] = {}): PlanNode {
  return { id, transform, args, params, type: scalar, side: args.length === 0 ? 'request' : 'candidate' }
}
