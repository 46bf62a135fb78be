import type { TransformCatalogue } from '../transforms/catalogue.ts'
import type { Plan, PlanInput } from './plan.ts'
import { columnResults, learnedNodes } from './split.ts'

/** Tells which inputs change rarely, for example the fields of a pin's catalogue entry. */
export type IsStatic = (input: PlanInput) => boolean

/** Ids of the nodes on columns that depend on inputs which change rarely, and on no other input. */
export function staticNodes(plan: Plan, catalogue: TransformCatalogue, isStatic: IsStatic): ReadonlySet<string> {
  const learned = learnedNodes(plan, catalogue)
  const constant = new Set<string>()
  const still = new Set(plan.inputs.filter(isStatic).map(({ name }) => name))
  for (const { id, args } of plan.nodes) {
    if (learned.has(id)) continue
    if (args.every((arg) => constant.has(arg))) constant.add(id)
    else if (args.every((arg) => still.has(arg) || constant.has(arg))) still.add(id)
  }
  return new Set(plan.nodes.map(({ id }) => id).filter((id) => still.has(id)))
}

/**
 * The static nodes whose values are worth keeping for each pin: numbers and row numbers that something reads which is not
 * static. A static category or sequence is computed again, because its values have no fixed size.
 */
export function keptNodes(plan: Plan, catalogue: TransformCatalogue, isStatic: IsStatic): Plan['nodes'] {
  const still = staticNodes(plan, catalogue, isStatic)
  const kept = plan.nodes.filter(({ id, type }) => still.has(id) && ['scalar', 'vector', 'index'].includes(type.kind))
  const keptIds = new Set(kept.map(({ id }) => id))
  const readers = plan.nodes.filter(({ id }) => !keptIds.has(id)).flatMap(({ args }) => args)
  const read = new Set([...columnResults(plan, catalogue), ...readers])
  return kept.filter(({ id }) => read.has(id))
}
