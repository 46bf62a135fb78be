import { nearest } from '@freshet/domain/nearest'
import type { TrainedModel } from '../model/trained-model.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import { stateOf } from '../plan/state.ts'
import type { ValueType } from '../plan/value-type.ts'
import type { Transform } from '../transforms/definition.ts'
import { ArtefactError } from './artefact-error.ts'

/**
 * Checks that this version can run a model: it knows every transform of the plan, and the weights and statistics are those that
 * the plan needs, no more and no fewer. Throws MODEL_TRANSFORM_UNKNOWN or MODEL_WEIGHTS_MISFIT with all problems at once.
 */
export function checkModelFits(model: TrainedModel, transforms: ReadonlyMap<string, Transform>, name: string): void {
  const unknown = new Set(model.plan.nodes.map(({ transform }) => transform).filter((used) => !transforms.has(used)))
  if (unknown.size > 0) {
    const named = [...unknown].map((used) => {
      const near = nearest(used, [...transforms.keys()])
      return `${used}${near === null ? '' : ` (did you mean ${near}?)`}`
    })
    throw new ArtefactError(
      'MODEL_TRANSFORM_UNKNOWN',
      `${name} uses transforms that this version does not have: ${named.join(', ')}`,
    )
  }
  const problems = [...weightProblems(model, transforms), ...fittedProblems(model, transforms)]
  if (problems.length > 0)
    throw new ArtefactError('MODEL_WEIGHTS_MISFIT', `${name} does not fit its plan: ${problems.join('; ')}`)
}

function weightProblems({ plan, parameters }: TrainedModel, transforms: ReadonlyMap<string, Transform>): string[] {
  const problems: string[] = []
  const expected = expectedShapes(plan, transforms)
  for (const [name, shape] of expected) {
    const found = parameters.weights.get(name)
    if (found === undefined) problems.push(`the weights ${name} are missing`)
    else if (found.shape.join() !== shape.join())
      problems.push(`the weights ${name} have the shape [${found.shape.join()}], not [${shape.join()}]`)
    else if (!found.values.every(Number.isFinite)) problems.push(`the weights ${name} hold NaN or infinity`)
  }
  for (const name of parameters.weights.keys())
    if (!expected.has(name)) problems.push(`no node of the plan has the weights ${name}`)
  return problems
}

function fittedProblems({ plan, parameters }: TrainedModel, transforms: ReadonlyMap<string, Transform>): string[] {
  const types = typesOf(plan)
  return plan.nodes.flatMap((node) => {
    const used = transforms.get(node.transform)
    if (used?.gradient !== 'fitted') return []
    const args = node.args.flatMap((arg) => types.get(arg) ?? [])
    const checked = stateOf(node, used, args, parameters.fitted)
    return 'problem' in checked ? [checked.problem] : []
  })
}

/** Shapes of the learned weights of a plan by name. */
function expectedShapes(plan: Plan, transforms: ReadonlyMap<string, Transform>): Map<string, readonly number[]> {
  const types = typesOf(plan)
  return new Map(
    plan.nodes.flatMap((node) =>
      learnedShapes(node, types, transforms).map(({ name, shape }) => [`${node.id}/${name}`, shape] as const),
    ),
  )
}

function typesOf({ inputs, nodes }: Plan): ReadonlyMap<string, ValueType> {
  return new Map([
    ...inputs.map(({ name, type }) => [name, type] as const),
    ...nodes.map(({ id, type }) => [id, type] as const),
  ])
}

function learnedShapes(
  { transform, args, params }: PlanNode,
  types: ReadonlyMap<string, ValueType>,
  transforms: ReadonlyMap<string, Transform>,
): readonly { readonly name: string; readonly shape: readonly number[] }[] {
  const used = transforms.get(transform)
  if (used?.gradient !== 'learned') return []
  const argTypes = args.flatMap((arg) => types.get(arg) ?? [])
  return used.weights(argTypes, params)
}
