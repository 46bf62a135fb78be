import type { Expression, Option } from './ast.ts'
import { all, commaSeparated, fold, group, indent, render, space, type Layout } from './layout.ts'
import { precedence } from './operators.ts'

/** Precedence of what is not an infix operator; see `precedence`. */
const tightest = 10
const unaryPrecedence = { '-': 7, not: 3 } as const

/** A formula as a layout, with no more parentheses than it needs. */
export function layoutFormula(expression: Expression): Layout {
  switch (expression.kind) {
    case 'number':
      return expression.text
    case 'text':
      return quote(expression.value)
    case 'boolean':
      return String(expression.value)
    case 'name':
      return expression.name
    case 'wildcard':
      return `${expression.group}.*`
    case 'call':
      return bracketed(
        `${expression.callee}(`,
        [...expression.args.map(layoutFormula), ...expression.params.map(layoutOption)],
        ')',
      )
    case 'list':
      return bracketed('[', expression.items.map(layoutFormula), ']')
    case 'map':
      return bracketed('{', expression.entries.map(layoutOption), '}')
    case 'unary':
      return all(
        expression.operator === '-' ? '-' : 'not ',
        within(expression.operand, unaryPrecedence[expression.operator]),
      )
    case 'if':
      return layoutIf(expression)
    case 'binary':
      return group(...chain(expression))
  }
}

/** A named value: `low: -3`. */
export function layoutOption({ name, value }: Option): Layout {
  return all(/^[A-Za-z_][\w.]*$/.test(name) ? name : quote(name), ': ', layoutFormula(value))
}

/** A formula on one line. */
export function formatFormula(expression: Expression): string {
  return render(layoutFormula(expression), Infinity)
}

function layoutIf({ condition, then, otherwise }: Extract<Expression, { kind: 'if' }>): Layout {
  const parts = [
    'if ',
    layoutFormula(condition),
    space,
    'then ',
    layoutFormula(then),
    space,
    'else ',
    layoutFormula(otherwise),
  ]
  return group(...parts)
}

/** A chain of operators that bind alike breaks after each of them. */
function chain(expression: Extract<Expression, { kind: 'binary' }>): Layout[] {
  const { operator, left, right } = expression
  const own = precedence[operator]
  const isRightAssociative = operator === '^'
  const isChained = left.kind === 'binary' && precedence[left.operator] === own && isLeftAssociative(own)
  const first = isChained ? chain(left) : [within(left, isLeftAssociative(own) ? own : own + 1)]
  return [...first, ` ${operator}`, space, within(right, isRightAssociative ? unaryPrecedence['-'] : own + 1)]
}

/** Comparisons do not chain, and powers chain to the right. */
function isLeftAssociative(own: number): boolean {
  return own !== precedence['<'] && own !== precedence['^']
}

/** An operand, in parentheses if it binds less tightly than `least`. */
function within(operand: Expression, least: number): Layout {
  const layout = layoutFormula(operand)
  return precedenceOf(operand) >= least ? layout : all('(', indent(layout), ')')
}

function precedenceOf(expression: Expression): number {
  switch (expression.kind) {
    case 'binary':
      return precedence[expression.operator]
    case 'unary':
      return unaryPrecedence[expression.operator]
    case 'number':
      return expression.text.startsWith('-') ? unaryPrecedence['-'] : tightest
    case 'if':
      return 0
    default:
      return tightest
  }
}

function bracketed(open: string, parts: readonly Layout[], close: string): Layout {
  return parts.length === 0 ? `${open}${close}` : group(open, indent(fold, commaSeparated(parts)), fold, close)
}

/** A text in quotes. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
