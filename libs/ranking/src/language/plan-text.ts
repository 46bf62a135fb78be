import type { Plan, PlanNode } from '../plan/plan.ts'
import type { BinaryOperator, Expression, Option, Span } from './ast.ts'
import { formatFormula } from './format-formula.ts'
import { operatorTransforms } from './operators.ts'

const nowhere: Span = { file: 'plan', line: 1, column: 1, from: 0, to: 0 }
const operators = new Map(
  Object.entries(operatorTransforms).map(([operator, transform]) => [transform, operator as BinaryOperator]),
)

/** The formula of a node as a spec writes it: named nodes and inputs by name, inner nodes in full. */
export function formulaOf(plan: Plan, id: string): string {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]))
  const node = nodes.get(id)
  return node === undefined ? id : formatFormula(expressionOf(node, nodes))
}

/** Whether a node is a statement's own value, not one inside of a formula. */
export function isNamed({ id }: Pick<PlanNode, 'id'>): boolean {
  return !id.includes('#')
}

function expressionOf(node: PlanNode, nodes: ReadonlyMap<string, PlanNode>): Expression {
  const args = node.args.map((arg): Expression => {
    const inner = nodes.get(arg)
    return inner === undefined || isNamed(inner)
      ? { kind: 'name', name: arg, span: nowhere }
      : expressionOf(inner, nodes)
  })
  const operator = operators.get(node.transform)
  const [first, second, third] = args as [Expression, Expression, Expression]
  if (operator !== undefined && args.length === 2)
    return { kind: 'binary', operator, left: first, right: second, span: nowhere }
  switch (node.transform) {
    case 'constant':
      return jsonExpression(node.params['value'])
    case 'negate':
      return { kind: 'unary', operator: '-', operand: first, span: nowhere }
    case 'not':
      return { kind: 'unary', operator: 'not', operand: first, span: nowhere }
    case 'if':
      return { kind: 'if', condition: first, then: second, otherwise: third, span: nowhere }
    default:
      return { kind: 'call', callee: node.transform, args, params: optionsOf(node.params), span: nowhere }
  }
}

function optionsOf(values: Readonly<Record<string, unknown>>): Option[] {
  return Object.entries(values).map(([name, value]) => ({ name, value: jsonExpression(value), span: nowhere }))
}

function jsonExpression(value: unknown): Expression {
  switch (typeof value) {
    case 'number':
      return { kind: 'number', value, text: String(value), span: nowhere }
    case 'boolean':
      return { kind: 'boolean', value, span: nowhere }
    case 'string':
      return { kind: 'text', value, span: nowhere }
    default:
      if (Array.isArray(value)) return { kind: 'list', items: value.map(jsonExpression), span: nowhere }
      return { kind: 'map', entries: optionsOf((value ?? {}) as Record<string, unknown>), span: nowhere }
  }
}
