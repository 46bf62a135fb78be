import type { Expression, Span } from './ast.ts'
import { canonicalJson, type PlanInput, type Side } from '../plan/plan.ts'
import type { ValueType } from '../plan/value-type.ts'
import type { Transform } from '../transforms/definition.ts'

/** An input that the spec declares. */
export interface GraphInput extends PlanInput {
  readonly kind: 'input'
}

/** One use of a transform, or several with equal results. */
export interface GraphNode {
  readonly kind: 'node'
  readonly transform: string
  readonly gradient: Transform['gradient']
  readonly args: readonly GraphValue[]
  readonly params: Readonly<Record<string, unknown>>
  readonly type: ValueType
  readonly side: Side
  readonly span: Span
}

export type GraphValue = GraphInput | GraphNode

/** What an expression stands for. */
export type Value =
  | GraphValue
  | { readonly kind: 'constant'; readonly value: number | string | boolean }
  /** A mistake was reported; what depends on it is not checked. */
  | { readonly kind: 'unknown' }

export const unknownValue: Value = { kind: 'unknown' }

/** An argument with its place in the text. */
export interface Argument {
  readonly value: Value
  readonly expression: Expression
}

/** Nodes by content: the same formula of the same arguments is one node. */
export class Graph {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #numbers = new Map<GraphValue, number>()

  /**
   * The node of this content. A learned transform is a new node each time, because two layers that are written alike learn
   * their own weights; who wants to share them names the layer.
   */
  node(node: Omit<GraphNode, 'kind' | 'side'>): GraphNode {
    const args = node.args.map((arg) => this.#number(arg)).join(' ')
    const key = `${node.transform} ${args} ${canonicalJson(node.params)}`
    const shared = node.gradient === 'learned' ? undefined : this.#nodes.get(key)
    if (shared !== undefined) return shared
    const side = node.args.some((arg) => arg.side === 'candidate') ? 'candidate' : 'request'
    const made: GraphNode = { kind: 'node', ...node, side }
    this.#nodes.set(key, made)
    return made
  }

  /** A node of a number or a name. */
  constant(value: number | string | boolean, span: Span): GraphNode {
    const kind = typeof value === 'string' ? 'category' : 'scalar'
    const given = typeof value === 'boolean' ? Number(value) : value
    return this.node({
      transform: 'constant',
      gradient: 'fixed',
      args: [],
      params: { value: given },
      type: { kind },
      span,
    })
  }

  /** The node of a value; constants become nodes of their own. Null: unknown. */
  valueOf(value: Value, span: Span): GraphValue | null {
    if (value.kind === 'unknown') return null
    return value.kind === 'constant' ? this.constant(value.value, span) : value
  }

  #number(value: GraphValue): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    this.#numbers.set(value, this.#numbers.size)
    return this.#numbers.size - 1
  }
}
