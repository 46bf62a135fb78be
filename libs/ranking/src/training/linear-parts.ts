import type { Plan, PlanNode } from '../plan/plan.ts'
import type { TensorProgram } from '../tensor/program.ts'

/** A `linear` node of one unit, the names of its columns, and the column that is added to it; null: none is. */
export interface LinearPart {
  readonly node: string
  readonly args: readonly string[]
  readonly offset: string | null
}

/**
 * The linear part of each head; null if a head is not `linear` (1 unit) of columns that are not learned, or such a sum plus one
 * of these columns, so that it needs TensorFlow.js.
 */
export function linearPartsOf({ heads, nodes }: Plan, { reads }: TensorProgram): readonly LinearPart[] | null {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]))
  const isRead = (name: string): boolean => reads.has(name)
  const parts = heads.map(({ value }) => linearPart(nodeOf.get(value), nodeOf, isRead)).filter((part) => part !== null)
  const isDistinct = new Set(parts.map(({ node }) => node)).size === heads.length
  return parts.length === heads.length && isDistinct ? parts : null
}

function linearPart(
  node: PlanNode | undefined,
  nodeOf: ReadonlyMap<string, PlanNode>,
  isRead: (name: string) => boolean,
): LinearPart | null {
  if (node === undefined) return null
  if (node.transform === 'add') {
    const offset = node.args.find(isRead)
    const sum = nodeOf.get(node.args.find((arg) => arg !== offset) ?? '')
    const part = sum?.transform === 'linear' ? linearPart(sum, nodeOf, isRead) : null
    return part === null || offset === undefined ? null : { ...part, offset }
  }
  const isLinear = node.transform === 'linear' && node.params['units'] === 1 && node.args.every(isRead)
  return isLinear ? { node: node.id, args: node.args, offset: null } : null
}
