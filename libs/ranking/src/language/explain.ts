import { hashOfPlan, type Plan, type PlanNode, type Side } from '../plan/plan.ts'
import { formatType, type ValueType } from '../plan/value-type.ts'
import type { Transform } from '../transforms/definition.ts'
import type { Catalogue } from './elaboration.ts'
import { formulaOf, isNamed } from './plan-text.ts'

/** One statement of a plan with the inner nodes of its formula. */
export interface ExplainedStatement {
  readonly name: string
  readonly formula: string
  readonly type: string
  readonly side: Side
  /** Whether data decide about it: `fixed`, or `fitted` or `learned` if a part of the formula is. */
  readonly gradient: Transform['gradient']
  /** Multiplications and additions of its formula for one request. */
  readonly perRequest: number
  /** And for one candidate. */
  readonly perCandidate: number
}

/** What a plan does and what it costs. */
export interface Explanation {
  readonly spec: string
  readonly hash: string
  readonly inputs: readonly { readonly name: string; readonly type: string; readonly side: Side }[]
  readonly statements: readonly ExplainedStatement[]
  /** Multiplications and additions, estimated. */
  readonly perRequest: number
  readonly perCandidate: number
  readonly firstPhase: Plan['firstPhase']
  /** The formula of the standard deviation of the utility; null: there is no exploration. */
  readonly exploration: string | null
  readonly heads: Plan['heads']
  readonly utility: Plan['utility']
}

/** Explains a plan: formulas, types, sides and estimated cost of each statement. */
export function explainPlan(plan: Plan, catalogue: Catalogue): Explanation {
  const types = new Map<string, ValueType>([
    ...plan.inputs.map(({ name, type }) => [name, type] as const),
    ...plan.nodes.map(({ id, type }) => [id, type] as const),
  ])
  const costs = plan.nodes.map((node) => ({ node, cost: multiplyAdds(node, types, catalogue) }))
  const sumOf = (side: Side, owner: string | null): number =>
    costs
      .filter(({ node }) => node.side === side && (owner === null || ownerOf(node) === owner))
      .reduce((sum, { cost }) => sum + cost, 0)
  const statements = plan.nodes.filter(isNamed).map(({ id, type, side }): ExplainedStatement => {
    const parts = plan.nodes
      .filter((node) => ownerOf(node) === id)
      .map(({ transform }) => catalogue.get(transform)!.gradient)
    return {
      name: id,
      formula: formulaOf(plan, id),
      type: formatType(type),
      side,
      gradient: parts.includes('learned') ? 'learned' : parts.includes('fitted') ? 'fitted' : 'fixed',
      perRequest: sumOf('request', id),
      perCandidate: sumOf('candidate', id),
    }
  })
  const { spec, inputs, firstPhase, heads, utility } = plan
  return {
    spec,
    hash: hashOfPlan(plan),
    inputs: inputs.map(({ name, type, side }) => ({ name, type: formatType(type), side })),
    statements,
    perRequest: sumOf('request', null),
    perCandidate: sumOf('candidate', null),
    firstPhase,
    exploration: plan.exploration === undefined ? null : formulaOf(plan, plan.exploration),
    heads,
    utility,
  }
}

/** An explanation as lines of text. */
export function formatExplanation(explanation: Explanation): readonly string[] {
  const { spec, hash, inputs, statements, perRequest, perCandidate, firstPhase, heads, utility, exploration } =
    explanation
  const width = Math.max(...[...inputs, ...statements].map(({ name }) => name.length), 4)
  const part = (side: Side): readonly string[] => [
    `once per ${side} (about ${side === 'request' ? perRequest : perCandidate} multiply-adds):`,
    ...inputs.filter((input) => input.side === side).map(({ name, type }) => `  ${name.padEnd(width)}  input: ${type}`),
    ...statements
      .filter((statement) => statement.side === side)
      .map(
        ({ name, formula, type, gradient }) =>
          `  ${name.padEnd(width)}  ${formula} : ${type}${gradient === 'fixed' ? '' : `, ${gradient}`}`,
      ),
  ]
  const keep = firstPhase === null ? [] : [`first phase: the best ${firstPhase.keep} by ${firstPhase.score}`]
  return [
    `${spec}: plan ${hash}`,
    ...part('request'),
    ...part('candidate'),
    ...keep,
    ...heads.map(
      ({ name, kind, value, label, calibrate }) =>
        `head ${name}: ${kind} of the label ${label} from ${value}, calibration ${calibrate}`,
    ),
    `utility = ${utility
      .map(({ head, weight }) => `${weight} · ${head}`)
      .join(' + ')
      .replaceAll('+ -', '− ')}`,
    ...(exploration === null ? [] : [`explore = ${exploration}`]),
  ]
}

/** The graph in the DOT language of Graphviz: inputs as boxes, nodes of the request's side with a dashed line. */
export function dotOf(plan: Plan): string {
  const label = (text: string): string => JSON.stringify(text)
  const node = (name: string, text: string, shape: string, side: Side): string =>
    `  ${label(name)} [label=${label(text)}, shape=${shape}${side === 'request' ? ', style=dashed' : ''}]`
  return [
    `digraph ${label(plan.spec)} {`,
    '  rankdir=LR',
    ...plan.inputs.map(({ name, type, side }) => node(name, `${name}\n${formatType(type)}`, 'box', side)),
    ...plan.nodes.map(({ id, transform, type, side }) =>
      node(id, `${isNamed({ id }) ? `${id}\n` : ''}${transform}\n${formatType(type)}`, 'ellipse', side),
    ),
    ...plan.nodes.flatMap(({ id, args }) => args.map((arg) => `  ${label(arg)} -> ${label(id)}`)),
    '}',
    '',
  ].join('\n')
}

/** The statement that a node belongs to. */
function ownerOf({ id }: PlanNode): string {
  return id.split('#')[0]!
}

/** Multiplications and additions of a node for one row. */
function multiplyAdds(
  { transform: name, args, params, type }: PlanNode,
  types: ReadonlyMap<string, ValueType>,
  catalogue: Catalogue,
): number {
  const transform = catalogue.get(name)!
  const given = args.map((arg) => types.get(arg)!)
  if (transform.multiplyAdds !== undefined) return transform.multiplyAdds(given, params)
  if (transform.gradient !== 'learned') return Math.max(...[type, ...given].map(numbersIn))
  const elements = Math.max(1, ...given.map((arg) => (arg.kind === 'sequence' ? arg.max : 1)))
  return transform.weights(given, params).reduce((sum, { shape, rowsOf }) => {
    const [rows = 1, ...rest] = shape
    const rowsRead = rowsOf === undefined ? rows : hashesIn(given[rowsOf])
    return sum + elements * rowsRead * rest.reduce((product, size) => product * size, 1)
  }, 0)
}

function numbersIn(type: ValueType): number {
  if (type.kind === 'vector') return type.size
  if (type.kind === 'index') return type.hashes
  return type.kind === 'sequence' ? type.max * numbersIn(type.of) : 1
}

function hashesIn(type: ValueType | undefined): number {
  const element = type?.kind === 'sequence' ? type.of : type
  return element?.kind === 'index' ? element.hashes : 1
}
