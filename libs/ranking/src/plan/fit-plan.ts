import { hash32 } from '@freshet/domain/hash'
import type { TransformCatalogue } from '../transforms/catalogue.ts'
import { NewBuffers } from './buffers.ts'
import type { Column, RowTable } from './column.ts'
import { inputProblem } from './input-check.ts'
import { PlanError } from './plan-error.ts'
import type { Plan, PlanNode } from './plan.ts'
import { learnedNodes, neededNodes } from './split.ts'

/**
 * Computes the statistics of a plan's fitted nodes from training rows, each from the columns of the nodes before it. The same
 * rows and seed give the same statistics. Throws a PlanError if the table lacks an input or a label, or if the
 * statistics of a node cannot be computed.
 */
export function fitPlan(
  plan: Plan,
  table: RowTable,
  seed: number,
  catalogue: TransformCatalogue,
): ReadonlyMap<string, unknown> {
  const learned = learnedNodes(plan, catalogue)
  const fittedIds = plan.nodes
    .filter(({ id, transform }) => catalogue.get(transform)?.gradient === 'fitted' && !learned.has(id))
    .map(({ id }) => id)
  const nodes = neededNodes(plan, fittedIds)
  checkTable(plan, nodes, table)
  const columns = new Map<string, Column>(table.inputs)
  const lastUse = new Map(nodes.flatMap(({ args }, at) => args.map((arg) => [arg, at] as const)))
  const states = new Map<string, unknown>()
  nodes.forEach((node, at) => {
    const args = node.args.map((arg) => columns.get(arg)!)
    const transform = catalogue.get(node.transform)!
    const output = new NewBuffers(args.every(({ rows }) => rows === 1) ? 1 : table.rows)
    if (transform.gradient === 'fixed') columns.set(node.id, transform.evaluate(args, node.params, output))
    else if (transform.gradient === 'fitted') {
      const training = { ...table, seed: hash32(node.id, seed) }
      const state = named(plan, node, () => transform.fit(args, node.params, training))
      states.set(node.id, state)
      if (lastUse.has(node.id)) columns.set(node.id, transform.evaluate(args, node.params, output, state))
    }
    for (const arg of node.args) if (lastUse.get(arg) === at) columns.delete(arg)
  })
  return states
}

/** Names the node whose statistics cannot be computed, for example because its argument is missing in all rows. */
function named<State>(plan: Plan, { id, transform }: PlanNode, fit: () => State): State {
  try {
    return fit()
  } catch (error) {
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
