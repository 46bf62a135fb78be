import type { Column, RowTable } from '../plan/column.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { Transform } from '../transforms/definition.ts'
import { learnedTransforms } from '../transforms/learned/catalogue.ts'

const byName = new Map<string, Transform>(learnedTransforms.map((transform) => [transform.name, transform]))

/** Statistics of the plan's fitted nodes, by id, from training rows. */
export function fitPlan(plan: Plan, table: RowTable, seed: number): ReadonlyMap<string, unknown> {
  const fitted = new Map<string, unknown>()
  const columns = new Map(table.inputs)
  for (const node of plan.nodes) {
    const transform = byName.get(node.transform)
    if (transform === undefined) throw new TypeError(`${node.id}: the transform ${node.transform} is not known`)
    if (transform.gradient === 'learned' || node.args.some((arg) => !columns.has(arg))) continue
    const args = node.args.map((arg) => columns.get(arg)!)
    if (transform.gradient === 'fitted') {
      const { rows, labels, weights } = table
      fitted.set(node.id, transform.fit(args, node.params, { rows, labels, weights, seed }))
    }
    columns.set(node.id, evaluate(transform, node, args, { rows: table.rows, fitted }))
  }
  return fitted
}

/** Columns of inputs and of fixed and fitted nodes. */
export function columnsOfPlan(
  plan: Plan,
  fitted: ReadonlyMap<string, unknown>,
  given: { readonly rows: number; readonly inputs: ReadonlyMap<string, Column> },
  names: ReadonlySet<string>,
): ReadonlyMap<string, Column> {
  const columns = new Map(given.inputs)
  for (const node of plan.nodes) {
    const transform = byName.get(node.transform)
    if (transform === undefined || transform.gradient === 'learned') continue
    if (node.args.some((arg) => !columns.has(arg))) continue
    const args = node.args.map((arg) => columns.get(arg)!)
    columns.set(node.id, evaluate(transform, node, args, { rows: given.rows, fitted }))
  }
  const missing = [...names].filter((name) => !columns.has(name))
  if (missing.length > 0) throw new TypeError(`the rows lack these inputs: ${missing.join(', ')}`)
  return new Map([...names].map((name) => [name, columns.get(name)!]))
}

function evaluate(
  transform: Exclude<Transform, { gradient: 'learned' }>,
  node: PlanNode,
  args: readonly Column[],
  { rows, fitted }: { readonly rows: number; readonly fitted: ReadonlyMap<string, unknown> },
): Column {
  if (transform.gradient === 'fixed') return transform.evaluate(args, node.params, rows)
  return transform.evaluate(args, node.params, rows, fitted.get(node.id))
}
