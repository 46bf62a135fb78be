import type { BinaryOperator } from './ast.ts'

/** The transform that an operator of the language stands for. */
export const operatorTransforms: Readonly<Record<BinaryOperator, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '^': 'power',
  '<': 'less',
  '<=': 'less_equal',
  '==': 'equal',
  '!=': 'not_equal',
  '>': 'greater',
  '>=': 'greater_equal',
  and: 'and',
  or: 'or',
}

/** How tightly an operator binds; what binds tighter is computed first. */
export const precedence: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  '<': 4,
  '<=': 4,
  '==': 4,
  '!=': 4,
  '>=': 4,
  '>': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '^': 8,
}

type Constant = number | string | boolean

/** The operator of two constants, in double precision; null: it is not defined for them. */
export function fold(operator: BinaryOperator, left: Constant, right: Constant): Constant | null {
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (typeof left === 'string' || typeof right === 'string') return null
  return folds[operator](Number(left), Number(right))
}

const folds: Readonly<Record<Exclude<BinaryOperator, '==' | '!='>, (a: number, b: number) => number | boolean>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  and: (a, b) => a !== 0 && b !== 0,
  or: (a, b) => a !== 0 || b !== 0,
}
