import type { TransformCatalogue } from '../transforms/catalogue.ts'
import type { LearnedTransform, Transform } from '../transforms/definition.ts'
import type { Plan, Side } from './plan.ts'
import type { ValueType } from './value-type.ts'

/** What it takes to compute a plan, in multiplications with an addition. */
export interface PlanCost {
  /** Once for a request. */
  readonly perRequest: number
  /** For each candidate that gets so far. */
  readonly perCandidate: number
  readonly nodes: readonly { readonly id: string; readonly side: Side; readonly multiplyAdds: number }[]
}

/**
 * Estimates the cost of a plan with sequences at their longest. A transform that does not state its cost needs one operation
 * per number that it reads or writes, and if it is learned one per weight; of a table only the rows of a value are read.
 */
export function planCost(plan: Plan, catalogue: TransformCatalogue): PlanCost {
  const types = new Map([
    ...plan.inputs.map(({ name, type }) => [name, type] as const),
    ...plan.nodes.map(({ id, type }) => [id, type] as const),
  ])
  const nodes = plan.nodes.map(({ id, transform, args, params, type, side }) => {
    const argTypes = args.map((arg) => types.get(arg)!)
    return { id, side, multiplyAdds: costOf(catalogue.get(transform)!, argTypes, params, type) }
  })
  const sum = (wanted: Side): number =>
    nodes.filter(({ side }) => side === wanted).reduce((total, { multiplyAdds }) => total + multiplyAdds, 0)
  return { perRequest: sum('request'), perCandidate: sum('candidate'), nodes }
}

function costOf(transform: Transform, args: readonly ValueType[], params: unknown, result: ValueType): number {
  const stated = transform.multiplyAdds?.(args, params)
  if (stated !== undefined) return stated
  const read = args.reduce((total, type) => total + numbersIn(type), 0)
  const touched = Math.max(read, numbersIn(result))
  return transform.gradient === 'learned' ? Math.max(touched, weightsRead(transform, args, params)) : touched
}

function weightsRead(transform: LearnedTransform, args: readonly ValueType[], params: unknown): number {
  let total = 0
  for (const { shape, initial } of transform.weights(args, params))
    if (initial !== 'table') total += shape.reduce((product, size) => product * size, 1)
    else total += args.reduce((sum, type) => sum + numbersIn(type), 0) * (shape.at(-1) ?? 1)
  return total
}

/** How many numbers, names or row numbers a value has at most. */
function numbersIn(type: ValueType): number {
  switch (type.kind) {
    case 'vector':
      return type.size
    case 'index':
      return type.hashes
    case 'sequence':
      return type.max * numbersIn(type.of)
    default:
      return 1
  }
}
