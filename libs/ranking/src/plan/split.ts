import type { TransformCatalogue } from '../transforms/catalogue.ts'
import type { Plan } from './plan.ts'

/** Ids of the nodes that run on tensors: the learned ones and all that read one of them. */
export function learnedNodes(plan: Plan, catalogue: TransformCatalogue): ReadonlySet<string> {
  const learned = new Set<string>()
  for (const { id, transform, args } of plan.nodes)
    if (catalogue.get(transform)?.gradient === 'learned' || args.some((arg) => learned.has(arg))) learned.add(id)
  return learned
}

/**
 * Names of the inputs and nodes that learned nodes read and that are not learned themselves, in the order of the plan: the
 * columns that a program computes for the part that runs on tensors.
 */
function boundaryNodes(plan: Plan, catalogue: TransformCatalogue): readonly string[] {
  const learned = learnedNodes(plan, catalogue)
  const read = new Set(plan.nodes.filter(({ id }) => learned.has(id)).flatMap(({ args }) => args))
  return namesOf(plan).filter((name) => read.has(name) && !learned.has(name))
}

/** Names of all that a plan's columns are computed for: the boundary, and what heads, first phase and exposed values read. */
export function columnResults(plan: Plan, catalogue: TransformCatalogue): readonly string[] {
  const learned = learnedNodes(plan, catalogue)
  const wanted = new Set([
    ...boundaryNodes(plan, catalogue),
    ...plan.heads.map(({ value }) => value),
    ...(plan.firstPhase === null ? [] : [plan.firstPhase.score]),
    ...plan.exposed,
  ])
  return namesOf(plan).filter((name) => wanted.has(name) && !learned.has(name))
}

/** The nodes that some results need, in the order of the plan. Nodes that are given are not looked into. */
export function neededNodes(
  plan: Plan,
  results: readonly string[],
  given: ReadonlySet<string> = new Set(),
): readonly Plan['nodes'][number][] {
  const needed = new Set(results)
  const nodes = plan.nodes.toReversed().filter(({ id, args }) => {
    if (!needed.has(id) || given.has(id)) return false
    for (const arg of args) needed.add(arg)
    return true
  })
  return nodes.reverse()
}

function namesOf({ inputs, nodes }: Plan): readonly string[] {
  return [...inputs.map(({ name }) => name), ...nodes.map(({ id }) => id)]
}
