import type { FittedTransform } from '../transforms/definition.ts'
import type { PlanNode } from './plan.ts'
import type { ValueType } from './value-type.ts'

/** The statistics of a fitted node, checked, or why they are not the node's. `args`: types of its arguments. */
export function stateOf(
  node: PlanNode,
  transform: FittedTransform,
  args: readonly ValueType[],
  fitted: ReadonlyMap<string, unknown>,
): { readonly state: unknown } | { readonly problem: string } {
  const given = fitted.get(node.id)
  if (given === undefined) return { problem: `${node.id} (${node.transform}) has no statistics; fit the plan` }
  const parsed = transform.state.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const place = [node.id, ...issue!.path.map(String)].join('.')
    return { problem: `the statistics ${place} of ${node.transform} are not valid: ${issue!.message}` }
  }
  const problem = transform.stateProblem?.(parsed.data, args, node.params) ?? null
  return problem === null
    ? { state: parsed.data }
    : { problem: `the statistics of ${node.id} (${node.transform}) ${problem}` }
}
