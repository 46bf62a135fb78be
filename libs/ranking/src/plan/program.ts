import type { Pausing } from './pausing.ts'
import type { TransformCatalogue } from '../transforms/catalogue.ts'
import type { Transform } from '../transforms/definition.ts'
import { ReusedBuffers } from './buffers.ts'
import type { Column } from './column.ts'
import { inputProblem } from './input-check.ts'
import { PlanError } from './plan-error.ts'
import type { Plan, PlanInput, PlanNode } from './plan.ts'
import { columnResults, neededNodes } from './split.ts'
import { stateOf } from './state.ts'

/** The part of a plan that runs on columns. It does not change: a model that is swapped in has a program of its own. */
export interface Program {
  /** Names of the columns that `run` returns. */
  readonly results: readonly string[]
  /** The inputs that `run` reads. */
  readonly inputs: readonly PlanInput[]
  /**
   * Computes the results for a page of `candidates` rows. A column has a row for each candidate, or one row where it only
   * depends on inputs with one row: that row holds for all. The columns are valid until the next run.
   * Throws a PlanError if an input is missing or has another type or number of rows.
   */
  run(inputs: ReadonlyMap<string, Column>, candidates: number): ReadonlyMap<string, Column>
  /** As `run`, for a table of many rows: the generator pauses after each node, so that other work gets its turn. */
  runPausing(inputs: ReadonlyMap<string, Column>, rows: number): Pausing<ReadonlyMap<string, Column>>
}

/** What a program computes. */
export interface ProgramOptions {
  /** Names of the results; absent: all that the plan's learned part, heads, first phase and exposed values read. */
  readonly results?: readonly string[]
  /** Nodes whose columns the caller gives as if they were inputs. */
  readonly given?: ReadonlySet<string>
}

/** One node, ready to run. */
interface Step {
  readonly transform: Exclude<Transform, { readonly gradient: 'learned' }>
  readonly params: unknown
  readonly state: unknown
  /** Places of the arguments and of the result among all columns. */
  readonly from: readonly number[]
  readonly to: number
  /** Filled in each run. */
  readonly args: Column[]
  readonly buffers: ReusedBuffers
}

/**
 * Makes the program of a plan with its fitted statistics. Throws a PlanError if a needed node has no statistics or those of
 * another plan.
 */
export function createProgram(
  plan: Plan,
  fitted: ReadonlyMap<string, unknown>,
  catalogue: TransformCatalogue,
  options: ProgramOptions = {},
): Program {
  const results = options.results ?? columnResults(plan, catalogue)
  const given = options.given ?? new Set<string>()
  const nodes = neededNodes(plan, results, given)
  const inputs = inputsOf(plan, nodes, results, given)
  const places = new Map(
    [...inputs.map(({ name }) => name), ...nodes.map(({ id }) => id)].map((name, at) => [name, at]),
  )
  const steps = stepsOf(plan, nodes, places, fitted, catalogue)
  const servingValues = new Map(plan.trainingOnly.map(({ input, servingValue }) => [input, only(servingValue)]))
  const columns: Column[] = []
  const outputs = new Map<string, Column>()

  function begin(values: ReadonlyMap<string, Column>, candidates: number): void {
    for (let at = 0; at < inputs.length; at++)
      columns[at] = inputColumn(plan, inputs[at]!, values, servingValues, candidates)
  }

  function end(): ReadonlyMap<string, Column> {
    for (const name of results) outputs.set(name, columns[places.get(name)!]!)
    return outputs
  }

  return {
    results,
    inputs,
    run(values, candidates) {
      begin(values, candidates)
      for (const step of steps) columns[step.to] = runStep(step, columns, candidates)
      return end()
    },
    *runPausing(values, rows) {
      begin(values, rows)
      for (const step of steps) {
        columns[step.to] = runStep(step, columns, rows)
        yield
      }
      return end()
    },
  }
}

function runStep(
  { transform, params, state, from, args, buffers }: Step,
  columns: Column[],
  candidates: number,
): Column {
  let rows = 1
  for (let at = 0; at < from.length; at++) {
    args[at] = columns[from[at]!]!
    if (args[at]!.rows !== 1) rows = candidates
  }
  buffers.begin(rows)
  return transform.gradient === 'fixed'
    ? transform.evaluate(args, params, buffers)
    : transform.evaluate(args, params, buffers, state)
}

function inputColumn(
  plan: Plan,
  input: PlanInput,
  values: ReadonlyMap<string, Column>,
  servingValues: ReadonlyMap<string, Column>,
  candidates: number,
): Column {
  const column = values.get(input.name)
  const servingValue = servingValues.get(input.name)
  if (column === undefined && servingValue !== undefined) return servingValue
  const problem = inputProblem(input, column, candidates)
  if (problem !== null)
    throw new PlanError('PLAN_INPUT_MISMATCHED', plan.spec, problemsOf(plan, values, candidates, problem))
  return column!
}

/** All problems of the inputs, the one that was found first. */
function problemsOf(
  plan: Plan,
  values: ReadonlyMap<string, Column>,
  candidates: number,
  first: string,
): readonly string[] {
  const all = plan.inputs
    .filter(({ name }) => values.has(name))
    .map((input) => inputProblem(input, values.get(input.name), candidates))
  return [...new Set([first, ...all.filter((problem) => problem !== null)])]
}

/** A column that holds a number for all rows. */
function only(value: number): Column {
  return { kind: 'numbers', rows: 1, width: 1, values: Float32Array.of(value) }
}

function stepsOf(
  plan: Plan,
  nodes: readonly PlanNode[],
  places: ReadonlyMap<string, number>,
  fitted: ReadonlyMap<string, unknown>,
  catalogue: TransformCatalogue,
): readonly Step[] {
  const problems: string[] = []
  const types = typesOf(plan)
  const steps = nodes.flatMap((node): Step[] => {
    const transform = catalogue.get(node.transform)
    if (transform === undefined || transform.gradient === 'learned') {
      problems.push(`${node.id} cannot be computed on columns: ${node.transform} is not a fixed or fitted transform`)
      return []
    }
    const args = node.args.map((arg) => types.get(arg)!)
    const checked = transform.gradient === 'fixed' ? null : stateOf(node, transform, args, fitted)
    if (checked !== null && 'problem' in checked) problems.push(checked.problem)
    const from = node.args.map((arg) => places.get(arg)!)
    const params = transform.params.parse(node.params)
    const state = checked !== null && 'state' in checked ? checked.state : null
    return [{ transform, params, state, from, to: places.get(node.id)!, args: [], buffers: new ReusedBuffers() }]
  })
  if (problems.length > 0) throw new PlanError('PLAN_STATISTICS_MISMATCHED', plan.spec, problems)
  return steps
}

/** The inputs that some nodes and results read, among them the nodes that the caller gives. */
function inputsOf(
  plan: Plan,
  nodes: readonly PlanNode[],
  results: readonly string[],
  given: ReadonlySet<string>,
): readonly PlanInput[] {
  const read = new Set([...results, ...nodes.flatMap(({ args }) => args)])
  const givenNodes = plan.nodes
    .filter(({ id }) => given.has(id))
    .map(({ id, type, side }): PlanInput => ({ name: id, type, side }))
  return [...plan.inputs, ...givenNodes].filter(({ name }) => read.has(name))
}

/** Types of inputs and nodes by name. */
function typesOf({ inputs, nodes }: Plan): ReadonlyMap<string, PlanInput['type']> {
  return new Map([
    ...inputs.map(({ name, type }) => [name, type] as const),
    ...nodes.map(({ id, type }) => [id, type] as const),
  ])
}
