import type { Expression, Span } from './ast.ts'
import { applyTransform } from './apply-transform.ts'
import type { Elaboration, Parameters } from './elaboration.ts'
import type { Argument, Value } from './graph.ts'
import { fold, operatorTransforms } from './operators.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { kind: Kind }>

/** The value of `-x` or `not x`; of a constant it is computed at once. */
export function elaborateUnary(
  { operator, operand, span }: Of<'unary'>,
  parameters: Parameters,
  elaboration: Elaboration,
): Value {
  const value = elaboration.value(operand, parameters)
  if (value.kind === 'constant' && typeof value.value !== 'string')
    return { kind: 'constant', value: operator === '-' ? 0 - Number(value.value) : Number(value.value) === 0 }
  return operate(operator === '-' ? 'negate' : 'not', [{ value, expression: operand }], span, elaboration)
}

/** The value of an infix operator; of two constants it is computed at once, in double precision. */
export function elaborateBinary(
  { operator, left, right, span }: Of<'binary'>,
  parameters: Parameters,
  elaboration: Elaboration,
): Value {
  const [a, b] = [elaboration.value(left, parameters), elaboration.value(right, parameters)]
  if (a.kind === 'constant' && b.kind === 'constant') {
    const value = fold(operator, a.value, b.value)
    if (value === null) return elaboration.problem('SPEC_TYPE', span, `\`${operator}\` is not defined for texts`)
    if (typeof value === 'number' && !Number.isFinite(value))
      return elaboration.problem('SPEC_TYPE', span, `this constant is not a finite number`)
    return { kind: 'constant', value }
  }
  const args = [
    { value: a, expression: left },
    { value: b, expression: right },
  ]
  return operate(operatorTransforms[operator], args, span, elaboration)
}

/** The value of `if … then … else …`; a constant condition chooses at once. */
export function elaborateIf(expression: Of<'if'>, parameters: Parameters, elaboration: Elaboration): Value {
  const parts = [expression.condition, expression.then, expression.otherwise]
  const args = parts.map((part) => ({ value: elaboration.value(part, parameters), expression: part }))
  const condition = args[0]!.value
  if (condition.kind === 'constant') return args[Number(condition.value) === 0 ? 2 : 1]!.value
  return operate('if', args, expression.span, elaboration)
}

function operate(name: string, args: readonly Argument[], span: Span, elaboration: Elaboration): Value {
  const transform = elaboration.catalogue.get(name)
  if (transform === undefined) throw new Error(`the catalogue of transforms has no ${name}`)
  return applyTransform(transform, args, { options: [], span }, elaboration)
}
