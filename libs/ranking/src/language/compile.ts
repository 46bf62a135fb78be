import type { Plan, PlanHead, PlanNode } from '../plan/plan.ts'
import { checkSpec } from './check.ts'
import type { CheckedSpec } from './checked-spec.ts'
import type { Catalogue } from './elaboration.ts'
import type { GraphInput, GraphNode, GraphValue } from './graph.ts'
import { readWholeSpec, type ReadFile, type WholeSpec } from './inherit.ts'
import { exploreId, firstPhaseId, type KnownInput } from './declare.ts'
import { LanguageError, type LanguageProblem } from './problem.ts'

/** What a spec is compiled against. */
export interface CompileOptions {
  /** Name of the file, for messages; specs that it extends are relative to it. */
  readonly file: string
  readonly catalogue: Catalogue
  /** Inputs that serving has; null: the spec is for rows and declares its inputs with types. */
  readonly inputs: readonly KnownInput[] | null
  /** Reads a spec that this one extends; throws if that fails. */
  readonly readFile: ReadFile
}

/** A compiled spec. */
export interface CompiledSpec {
  readonly plan: Plan
  readonly warnings: readonly LanguageProblem[]
}

/** Compiles a spec. Throws a LanguageError that lists all mistakes. */
export function compileSpec(text: string, options: CompileOptions): CompiledSpec {
  const whole = readWholeSpec(text, options.file, options.readFile)
  return planOf(checkSpec(whole, options.catalogue, options.inputs))
}

/**
 * Compiles a spec for a file of rows: against the inputs of serving, which are `inputs`, or the inputs that it declares; see
 * `inputsOf`. Throws a LanguageError that lists all mistakes.
 */
export function compileForRows(
  text: string,
  { inputs, ...options }: CompileOptions & { readonly inputs: readonly KnownInput[] },
): CompiledSpec {
  const whole = readWholeSpec(text, options.file, options.readFile)
  return planOf(checkSpec(whole, options.catalogue, inputsOf(whole, inputs)))
}

/** The inputs of serving, unless the spec declares the types of all its inputs: then null, because it is for rows. */
export function inputsOf<Input>({ statements }: WholeSpec, serving: readonly Input[]): readonly Input[] | null {
  const types = statements.flatMap(({ statement }) => (statement.kind === 'input' ? [statement.type] : []))
  return types.length === 0 || types.includes(null) ? serving : null
}

/** The plan of a spec that was checked. Throws a LanguageError if the check found mistakes. */
export function planOf(spec: CheckedSpec): CompiledSpec {
  if (spec.problems.length > 0) throw new LanguageError(spec.problems)
  const ids = nameNodes(spec)
  const id = (value: GraphValue): string => (value.kind === 'input' ? value.name : ids.get(value)!)
  const nodes = [...ids].map(([node, nodeId]): PlanNode => {
    const { transform, args, params, type, side } = node
    return { id: nodeId, transform, args: args.map(id), params, type, side }
  })
  // Two statements of one formula share a node, which has one id; the second one's exposed value needs its name.
  for (const { name, value } of spec.exposed)
    if (id(value) !== name)
      nodes.push({ id: name, transform: 'identity', args: [id(value)], params: {}, type: value.type, side: value.side })
  const used = new Set<GraphValue>([...ids.keys()].flatMap(({ args }) => args))
  const isUsed = (input: GraphInput): boolean => used.has(input) || rootsOf(spec).some(([, value]) => value === input)
  const plan: Plan = {
    format: 1,
    spec: spec.name,
    inputs: spec.inputs.filter(isUsed).map(({ name, type, side }) => ({ name, type, side })),
    nodes,
    firstPhase: spec.firstPhase && { score: id(spec.firstPhase.score), keep: spec.firstPhase.keep },
    ...(spec.exploration !== null && { exploration: id(spec.exploration.deviation) }),
    heads: spec.heads.map(({ name, kind, label, value, lossWeight, calibrate }): PlanHead => {
      return { name, kind, label, value: id(value), lossWeight, calibrate }
    }),
    utility: spec.utility,
    exposed: spec.exposed.map(({ name }) => name),
    trainingOnly: spec.trainingOnly
      .filter(({ input }) => isUsed(input))
      .map(({ input, servingValue }) => ({ input: input.name, servingValue })),
    training: spec.training!,
  }
  return { plan, warnings: spec.warnings }
}

/** The values that a plan must give, each with the name of its statement. */
function rootsOf(spec: CheckedSpec): readonly (readonly [name: string, value: GraphValue])[] {
  return [
    ...(spec.firstPhase === null ? [] : [[firstPhaseId, spec.firstPhase.score] as const]),
    ...(spec.exploration === null ? [] : [[exploreId, spec.exploration.deviation] as const]),
    ...spec.heads.map(({ name, value }) => [name, value] as const),
    ...spec.exposed.map(({ name, value }) => [name, value] as const),
  ]
}

/**
 * Ids of the nodes that something needs, in an order in which each comes after its arguments. A statement's node has the
 * statement's name, an inner one the name of the statement around it, `#` and a number.
 */
function nameNodes(spec: CheckedSpec): ReadonlyMap<GraphNode, string> {
  const names = new Map<GraphValue, string>()
  const roots = rootsOf(spec)
  for (const [name, value] of [...spec.values, ...roots]) if (!names.has(value)) names.set(value, name)
  const ids = new Map<GraphNode, string>()
  const counts = new Map<string, number>()
  const visit = (value: GraphValue, owner: string): void => {
    if (value.kind === 'input' || ids.has(value)) return
    const name = names.get(value)
    for (const arg of value.args) visit(arg, name ?? owner)
    if (name !== undefined) ids.set(value, name)
    else {
      counts.set(owner, (counts.get(owner) ?? 0) + 1)
      ids.set(value, `${owner}#${counts.get(owner)!}`)
    }
  }
  const needed = new Set(roots.map(([, value]) => value))
  for (const [name, value] of [...spec.values, ...roots]) if (needed.has(value)) visit(value, name)
  return ids
}
