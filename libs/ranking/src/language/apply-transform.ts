import { posix } from 'node:path'
import { formatType } from '../plan/value-type.ts'
import type { Transform } from '../transforms/definition.ts'
import type { Span } from './ast.ts'
import type { Elaboration } from './elaboration.ts'
import { evaluateConstant } from './evaluate-constant.ts'
import { unknownValue, type Argument, type GraphValue, type Value } from './graph.ts'
import { readOptions, type GivenOption } from './options.ts'

/** How a transform is called: its named values, and where. */
interface Use {
  readonly options: readonly GivenOption[]
  readonly span: Span
}

/** The node of a transform of some values. Reports parameters and types that do not fit; folds a constant. */
export function applyTransform(
  transform: Transform,
  args: readonly Argument[],
  { options, span }: Use,
  { graph, report, file, problem }: Elaboration,
): Value {
  const { name, gradient } = transform
  const given = options.map((option) => withRelativePath(option, transform, file))
  const params = readOptions(transform.params, `\`${name}\``, given, span, report) as Readonly<
    Record<string, unknown>
  > | null
  if (params === null || args.some(({ value }) => value.kind === 'unknown')) return unknownValue
  const numbers = args.flatMap(({ value }) =>
    value.kind === 'constant' && typeof value.value !== 'string' ? [Number(value.value)] : [],
  )
  if (gradient === 'fixed' && args.length > 0 && numbers.length === args.length) {
    const folded = evaluateConstant(transform, numbers, params)
    if (folded !== null) return { kind: 'constant', value: folded }
  }
  const values = args.map(({ value, expression }) => graph.valueOf(value, expression.span)!)
  const type = transform.typeOf(
    values.map((value) => value.type),
    params,
  )
  if ('problem' in type) {
    const at = type.arg === undefined ? span : (args[type.arg]?.expression.span ?? span)
    return problem('SPEC_TYPE', at, `\`${name}\`: ${type.problem}${isType(type.arg, values)}`)
  }
  return graph.node({ transform: name, gradient, args: values, params, type, span })
}

function isType(arg: number | undefined, values: readonly GraphValue[]): string {
  const given = arg === undefined ? undefined : values[arg]
  return given === undefined ? '' : `; this is ${formatType(given.type)}`
}

/**
 * A path is written relative to the file of its statement; the plan has it relative to the spec, which may extend that file from
 * another folder. So the plan does not depend on the current directory.
 */
function withRelativePath(option: GivenOption, { files }: Transform, spec: string): GivenOption {
  const { name, value, span } = option
  if (files?.includes(name) !== true || typeof value !== 'string' || posix.isAbsolute(value)) return option
  const path = posix.join(posix.dirname(span.file), value)
  return { ...option, value: posix.relative(posix.dirname(spec), path) }
}
