import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { hash32 } from '@freshet/domain/hash'
import { ForestError } from '../forest/problems.ts'
import type { TransformCatalogue } from '../transforms/catalogue.ts'
import { NewBuffers } from './buffers.ts'
import type { Column, RowTable } from './column.ts'
import { finished, type Pausing } from './pausing.ts'
import { inputProblem } from './input-check.ts'
import { PlanError } from './plan-error.ts'
import type { Plan, PlanNode } from './plan.ts'
import { learnedNodes, neededNodes } from './split.ts'

/** Statistics of a plan, with the columns of the training rows that differ from what the statistics give. */
export interface FittedPlan {
  /** By id of node. */
  readonly fitted: ReadonlyMap<string, unknown>
  /** Columns of nodes that are computed out of fold, for the rows from which the plan was fitted; serving never has them. */
  readonly outOfFold: ReadonlyMap<string, Column>
}

/** How a plan is fitted. */
export interface FitOptions {
  readonly seed: number
  readonly catalogue: TransformCatalogue
  /** The folder of the spec: paths of files are relative to it. */
  readonly specFolder?: string
}

/** The statistics of `fitForTraining` alone. */
export function fitPlan(plan: Plan, table: RowTable, options: FitOptions): ReadonlyMap<string, unknown> {
  return finished(fitPausing(plan, table, options)).fitted
}

/**
 * Computes the statistics of a plan's fitted nodes from training rows, each from the columns of the nodes before it. The same
 * rows and seed give the same statistics. Throws a PlanError if the table lacks an input or a label, or if the
 * statistics of a node cannot be computed, and a ForestError if the file of a forest is not one.
 */
export function fitForTraining(plan: Plan, table: RowTable, options: FitOptions): FittedPlan {
  return finished(fitPausing(plan, table, options))
}

/** As `fitForTraining`; the generator pauses after each node, so that other work gets its turn. */
export function* fitPausing(
  plan: Plan,
  table: RowTable,
  { seed, catalogue, specFolder = '.' }: FitOptions,
): Pausing<FittedPlan> {
  const learned = learnedNodes(plan, catalogue)
  const fittedIds = plan.nodes
    .filter(({ id, transform }) => catalogue.get(transform)?.gradient === 'fitted' && !learned.has(id))
    .map(({ id }) => id)
  const nodes = neededNodes(plan, fittedIds)
  checkTable(plan, nodes, table)
  const readFile = (path: string): string => readFileSync(resolve(specFolder, path), 'utf8')
  const columns = new Map<string, Column>(table.inputs)
  const lastUse = new Map(nodes.flatMap(({ args }, at) => args.map((arg) => [arg, at] as const)))
  const read = readByData(plan, catalogue)
  const fitted = new Map<string, unknown>()
  const outOfFold = new Map<string, Column>()
  for (const [at, node] of nodes.entries()) {
    const { id, params } = node
    const args = node.args.map((arg) => columns.get(arg)!)
    const transform = catalogue.get(node.transform)!
    const output = new NewBuffers(args.every(({ rows }) => rows === 1) ? 1 : table.rows)
    if (transform.gradient === 'fixed') columns.set(id, transform.evaluate(args, params, output))
    else if (transform.gradient === 'fitted') {
      const training = { ...table, seed: hash32(id, seed), readFile }
      const state = named(plan, node, () => transform.fit(args, params, training))
      fitted.set(id, state)
      const own = !read.has(id)
        ? null
        : named(plan, node, () => transform.outOfFold?.(args, params, training, new NewBuffers(table.rows)) ?? null)
      if (own !== null) outOfFold.set(id, own)
      if (lastUse.has(id)) columns.set(id, own ?? transform.evaluate(args, params, output, state))
    }
    for (const arg of node.args) if (lastUse.get(arg) === at) columns.delete(arg)
    yield
  }
  return { fitted, outOfFold }
}

/** Ids of all that a learned or a fitted node reads, also through other nodes. */
function readByData({ nodes }: Plan, catalogue: TransformCatalogue): ReadonlySet<string> {
  const read = new Set<string>()
  for (const { id, transform, args } of nodes.toReversed())
    if (catalogue.get(transform)?.gradient !== 'fixed' || read.has(id)) args.forEach((arg) => read.add(arg))
  return read
}

/** Names the node whose statistics cannot be computed, for example because its argument is missing in all rows. */
function named<State>(plan: Plan, { id, transform }: PlanNode, fit: () => State): State {
  try {
    return fit()
  } catch (error) {
    if (error instanceof ForestError) throw error
    const problem = `${id} (${transform}) cannot be fitted: ${(error as Error).message}`
    throw new PlanError('PLAN_UNFITTABLE', plan.spec, [problem], { cause: error })
  }
}

function checkTable(plan: Plan, nodes: Plan['nodes'], table: RowTable): void {
  const read = new Set(nodes.flatMap(({ args }) => args))
  const problems = plan.inputs
    .filter(({ name }) => read.has(name))
    .map((input) => inputProblem(input, table.inputs.get(input.name), table.rows))
    .filter((problem) => problem !== null)
  for (const { id, params } of nodes) {
    const { label } = params
    if (typeof label === 'string' && !table.labels.has(label))
      problems.push(
        `${id} reads the label ${label}, which the rows do not have; they have ${[...table.labels.keys()].join(', ')}`,
      )
  }
  if (problems.length > 0) throw new PlanError('PLAN_INPUT_MISMATCHED', plan.spec, problems)
}
