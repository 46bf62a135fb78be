import type { Expression, StatementOf } from './ast.ts'
import { applyTransform } from './apply-transform.ts'
import { groupOf } from './declare.ts'
import type { Elaboration, Parameters } from './elaboration.ts'
import { unknownValue, type Argument, type Value } from './graph.ts'
import { unknown } from './problem.ts'

type Call = Extract<Expression, { kind: 'call' }>

/** The value of a call: a function's formula in its place, or the node of a transform. */
export function elaborateCall(call: Call, parameters: Parameters, elaboration: Elaboration): Value {
  const { scope, catalogue } = elaboration
  const { callee, span } = call
  const args = call.args.flatMap((arg) => argumentsOf(arg, parameters, elaboration))
  const options = elaboration.options(call.params, parameters)
  const statement = scope.entries.get(callee)?.statement
  if (statement?.kind === 'function') return inline(statement, args, call, elaboration)
  if (scope.broken.has(callee)) return unknownValue
  const transform = catalogue.get(callee)
  if (transform === undefined) {
    const functions = [...scope.entries.values()].filter((entry) => entry.statement.kind === 'function')
    const names = [...functions.map(({ name }) => name.name), ...catalogue.keys()]
    return elaboration.problem('SPEC_UNKNOWN_NAME', span, unknown('a transform or a function', callee, names))
  }
  return options === null ? unknownValue : applyTransform(transform, args, { options, span }, elaboration)
}

/** The values of an argument: a group stands for all declared inputs of its name. */
function argumentsOf(
  expression: Expression,
  parameters: Parameters,
  { scope, read, value, problem }: Elaboration,
): readonly Argument[] {
  if (expression.kind !== 'wildcard') return [{ value: value(expression, parameters), expression }]
  const inputs = [...scope.inputs.values()].filter(({ name }) => groupOf(name) === expression.group)
  if (inputs.length === 0) {
    const groups = [...new Set([...scope.inputs.keys()].map(groupOf))].filter((group) => group !== '')
    const message = unknown('a group of declared inputs', expression.group, groups)
    return [{ value: problem('SPEC_UNKNOWN_NAME', expression.span, message), expression }]
  }
  for (const { name } of inputs) read.add(name)
  return inputs.map((input) => ({ value: input, expression }))
}

function inline(
  { name, parameters, value }: StatementOf<'function'>,
  args: readonly Argument[],
  call: Call,
  elaboration: Elaboration,
): Value {
  elaboration.read.add(name.name)
  const wants = `${name.name}(${parameters.map((parameter) => parameter.name).join(', ')})`
  if (call.params.length > 0)
    return elaboration.problem(
      'SPEC_PARAMETER',
      call.params[0]!.span,
      `\`${name.name}\` is a function, which takes no named values; write \`${wants}\``,
    )
  if (args.length !== parameters.length)
    return elaboration.problem(
      'SPEC_TYPE',
      call.span,
      `\`${wants}\` takes ${parameters.length} values, but gets ${args.length}`,
    )
  const values = new Map(parameters.map((parameter, index) => [parameter.name, args[index]!.value]))
  return elaboration.lookups.within(name.name, call.span, unknownValue, () => elaboration.value(value, values))
}
