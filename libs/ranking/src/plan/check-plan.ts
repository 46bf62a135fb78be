import { nearest } from '@freshet/domain/nearest'
import type { TransformCatalogue } from '../transforms/catalogue.ts'
import { canonicalJson, type Plan, type PlanNode, type Side } from './plan.ts'
import { formatType, type ValueType } from './value-type.ts'

/** What is known of a name. */
interface Known {
  readonly type: ValueType
  readonly side: Side
  /** Runs on tensors. */
  readonly learned: boolean
}

/**
 * What is wrong with a plan's meaning, one sentence each: unknown transforms and names, arguments that come later, types and
 * sides that are not what the transforms make of the arguments, results of the wrong type.
 */
export function checkPlan(plan: Plan, catalogue: TransformCatalogue): readonly string[] {
  const problems: string[] = []
  const known = new Map<string, Known>()
  const define = (name: string, what: string, value: Known): void => {
    if (known.has(name)) problems.push(`${what} ${name} has the name of an earlier input or node`)
    known.set(name, value)
  }
  for (const { name, type, side } of plan.inputs) {
    const element = type.kind === 'sequence' ? type.of : type
    if (element.kind === 'index') problems.push(`input ${name} is ${formatType(type)}; an input cannot be an index`)
    define(name, 'input', { type, side, learned: false })
  }
  for (const node of plan.nodes) {
    const learned =
      catalogue.get(node.transform)?.gradient === 'learned' || node.args.some((arg) => known.get(arg)?.learned)
    problems.push(...nodeProblems(node, known, catalogue))
    define(node.id, 'node', { type: node.type, side: node.side, learned })
  }
  return [...problems, ...resultProblems(plan, known), ...explorationProblems(plan, known), ...labelProblems(plan)]
}

function nodeProblems(
  node: PlanNode,
  known: ReadonlyMap<string, Known>,
  catalogue: TransformCatalogue,
): readonly string[] {
  const { id, transform: name, args } = node
  const transform = catalogue.get(name)
  if (transform === undefined) return [`node ${id}: ${name} is not a transform${hint(name, [...catalogue.keys()])}`]
  const unknown = args.filter((arg) => !known.has(arg))
  if (unknown.length > 0)
    return unknown.map(
      (arg) => `node ${id} reads ${arg}, which is not an input or an earlier node${hint(arg, [...known.keys()])}`,
    )
  const parsed = transform.params.safeParse(node.params)
  if (!parsed.success)
    return parsed.error.issues.map(
      (issue) => `node ${id}: ${[name, ...issue.path.map(String)].join('.')}: ${issue.message}`,
    )
  const problems: string[] = []
  if (canonicalJson(parsed.data) !== canonicalJson(node.params))
    problems.push(`node ${id}: parameters of ${name} lack defaults; expected ${canonicalJson(parsed.data)}`)
  const given = args.map((arg) => known.get(arg)!)
  const type = transform.typeOf(
    given.map((arg) => arg.type),
    parsed.data,
  )
  if ('problem' in type) problems.push(`node ${id}: ${name} ${type.problem}`)
  else if (canonicalJson(type) !== canonicalJson(node.type))
    problems.push(`node ${id} has type ${formatType(node.type)}; ${name} makes ${formatType(type)} of its arguments`)
  if (node.side === 'request' && given.some(({ side }) => side === 'candidate'))
    problems.push(`node ${id} is on the request's side and reads a value of the candidate's`)
  if (transform.gradient === 'fitted' && given.some(({ learned }) => learned))
    problems.push(`node ${id}: ${name} is fitted before training and cannot read a learned value`)
  return problems
}

function hint(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates)
  return near === null ? '' : `; did you mean ${near}?`
}

function resultProblems(plan: Plan, known: ReadonlyMap<string, Known>): readonly string[] {
  const scalars = [
    ...plan.heads.map(({ name, value }) => [`head ${name}`, value] as const),
    ...plan.exposed.map((name) => ['expose', name] as const),
    ...plan.trainingOnly.map(({ input }) => ['training only', input] as const),
    ...(plan.exploration === undefined ? [] : [['explore', plan.exploration] as const]),
    ...(plan.firstPhase === null ? [] : [['first phase', plan.firstPhase.score] as const]),
  ]
  const heads = plan.heads.map(({ name }) => name)
  const inputs = plan.inputs.map(({ name }) => name)
  return [
    ...scalars.flatMap(([place, name]) => {
      const type = known.get(name)?.type
      if (type === undefined)
        return [`${place} reads ${name}, which the plan does not have${hint(name, [...known.keys()])}`]
      return type.kind === 'scalar' ? [] : [`${place} reads ${name}, which is ${formatType(type)}; it needs a scalar`]
    }),
    ...plan.trainingOnly
      .filter(({ input }) => known.has(input) && !inputs.includes(input))
      .map(({ input }) => `training only names ${input}, which is not an input`),
    ...heads.filter((name, at) => heads.indexOf(name) !== at).map((name) => `there are two heads ${name}`),
    ...plan.utility
      .filter(({ head }) => !heads.includes(head))
      .map(({ head }) => `utility weighs ${head}, which is not a head${hint(head, heads)}`),
  ]
}

/** A deviation says how much evidence there is. Nothing would train its learned parts for that. */
function explorationProblems({ exploration }: Plan, known: ReadonlyMap<string, Known>): readonly string[] {
  if (exploration === undefined || known.get(exploration)?.learned !== true) return []
  return [`explore reads ${exploration}, which is learned; it may only read inputs and what is computed from them`]
}

/** A label that is also an input would tell the model what it has to predict. */
function labelProblems({ heads, inputs }: Plan): readonly string[] {
  return heads
    .filter(({ label }) => inputs.some(({ name }) => name === label))
    .map(
      ({ name, label }) =>
        `head ${name} has the label ${label}, which is also an input: a model must not read its label`,
    )
}
