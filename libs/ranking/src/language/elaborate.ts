import { formatType } from '../plan/value-type.ts'
import type { Transform } from '../transforms/definition.ts'
import type { Expression, Option, Span, StatementOf } from './ast.ts'
import { groupOf, type Scope } from './declare.ts'
import { evaluateConstant } from './evaluate-constant.ts'
import { Graph, unknownValue, type Argument, type GraphValue, type Value } from './graph.ts'
import { createLookups, type Lookups } from './lookups.ts'
import { fold, operatorTransforms } from './operators.ts'
import { readOptions, type GivenOption } from './options.ts'
import { unknown, type LanguageErrorCode, type LanguageProblem } from './problem.ts'

/** Transforms by name. */
export type Catalogue = ReadonlyMap<string, Transform>

/** Values of a function's parameters, by name; null: outside of a function. */
type Parameters = ReadonlyMap<string, Value> | null

/** A value of a parameter or a constant: plain JSON. */
export type Json = number | string | boolean | readonly Json[] | { readonly [name: string]: Json }

/**
 * Turns formulas into nodes of a graph: it looks names up, inlines functions, expands wildcards, folds constants and checks
 * types. Each problem is reported once.
 */
export class Elaborator {
  readonly graph = new Graph()
  readonly #scope: Scope
  readonly #catalogue: Catalogue
  readonly #report: (problem: LanguageProblem) => void
  readonly #values = new Map<string, Value>()
  readonly #constants = new Map<string, Json | null>()
  readonly #lookups: Lookups
  /** Names that some statement reads. */
  readonly read = new Set<string>()

  constructor(scope: Scope, catalogue: Catalogue, report: (problem: LanguageProblem) => void) {
    this.#scope = scope
    this.#catalogue = catalogue
    this.#report = report
    this.#lookups = createLookups(report)
  }

  /** The value of a named feature, layer or head; `reader`: where it is read. */
  statement(name: string, expression: Expression, reader: Span = expression.span): Value {
    return this.#lookups.once(this.#values, name, reader, unknownValue, () => this.value(expression, null))
  }

  /** The value of a constant statement; null after a problem. */
  constant(name: string, expression: Expression, reader: Span = expression.span): Json | null {
    return this.#lookups.once(this.#constants, name, reader, null, () => this.json(expression, false))
  }

  /** Checks a function's body without arguments. */
  function({ name, parameters, value }: StatementOf<'function'>): void {
    for (const parameter of parameters)
      if (this.#scope.entries.has(parameter.name))
        this.#problem(
          'SPEC_SHADOWED',
          parameter.span,
          `the parameter \`${parameter.name}\` shadows a statement of this name; choose another name`,
        )
    const values = new Map(parameters.map((parameter) => [parameter.name, unknownValue]))
    this.#lookups.within(name.name, value.span, unknownValue, () => this.value(value, values))
  }

  /** The value of a formula. */
  value(expression: Expression, parameters: Parameters): Value {
    switch (expression.kind) {
      case 'number':
      case 'text':
      case 'boolean':
        return { kind: 'constant', value: expression.value }
      case 'name':
        return this.#name(expression, parameters)
      case 'wildcard':
        return this.#type(expression.span, 'a group stands only among the arguments of a call, as in `cross(user.*)`')
      case 'list':
      case 'map':
        return this.#type(
          expression.span,
          'lists and maps are values of parameters, as in `bucketise(x, boundaries: [1, 2])`',
        )
      case 'call':
        return this.#call(expression, parameters)
      case 'unary':
        return this.#unary(expression, parameters)
      case 'binary':
        return this.#binary(expression, parameters)
      case 'if':
        return this.#if(expression, parameters)
    }
  }

  /** The value of a parameter or constant; `words`: an unknown name stands for itself, as in `by: mean`. Null after a problem. */
  json(expression: Expression, words: boolean, parameters: Parameters = null): Json | null {
    switch (expression.kind) {
      case 'list': {
        const items = expression.items.map((item) => this.json(item, words, parameters))
        return items.includes(null) ? null : (items as Json[])
      }
      case 'map': {
        const entries = expression.entries.map(
          ({ name, value }) => [name, this.json(value, words, parameters)] as const,
        )
        return entries.some(([, value]) => value === null) ? null : (Object.fromEntries(entries) as Json)
      }
      case 'name': {
        const { name, span } = expression
        const constant = this.#scope.entries.get(name)?.statement
        if (parameters?.has(name) !== true) {
          if (constant?.kind === 'const') return this.#readConstant(name, constant.value, span)
          if (words && !name.includes('.')) return name
        }
        return this.#constantOf(this.value(expression, parameters), span)
      }
      default:
        return this.#constantOf(this.value(expression, parameters), expression.span)
    }
  }

  /** Evaluated named values; null after a problem. */
  options(options: readonly Option[], parameters: Parameters = null): readonly GivenOption[] | null {
    const given = options.map(({ name, value, span }) => ({ name, span, value: this.json(value, true, parameters) }))
    return given.some(({ value }) => value === null) ? null : given
  }

  /** The node of a value; constants become nodes of their own. Null: unknown. */
  node(value: Value, span: Span): GraphValue | null {
    if (value.kind === 'unknown') return null
    return value.kind === 'constant' ? this.graph.constant(value.value, span) : value
  }

  #readConstant(name: string, expression: Expression, reader: Span): Json | null {
    this.read.add(name)
    return this.constant(name, expression, reader)
  }

  #constantOf(value: Value, span: Span): Json | null {
    if (value.kind === 'constant') return value.value
    if (value.kind !== 'unknown') this.#problem('SPEC_TYPE', span, 'this must be a constant, but it depends on inputs')
    return null
  }

  #name({ name, span }: { name: string; span: Span }, parameters: Parameters): Value {
    const parameter = parameters?.get(name)
    if (parameter !== undefined) return parameter
    const input = this.#scope.inputs.get(name)
    const entry = this.#scope.entries.get(name)
    this.read.add(name)
    if (this.#scope.labels.has(name) && (entry === undefined || entry.statement.kind === 'input')) {
      const message = `\`${name}\` is a label: it is known only after the pin was shown; leave it out of features and layers`
      return this.#problem('SPEC_READS_LABEL', span, message)
    }
    if (input !== undefined) return input
    if (this.#scope.broken.has(name)) return unknownValue
    switch (entry?.statement.kind) {
      case 'feature':
      case 'layer':
        return this.statement(name, entry.statement.value, span)
      case 'const': {
        const value = this.constant(name, entry.statement.value, span)
        if (value === null) return unknownValue
        if (typeof value === 'object')
          return this.#type(span, `\`${name}\` is a list or a map; only parameters take it`)
        return { kind: 'constant', value }
      }
      case 'head':
        return this.#problem('SPEC_READS_LABEL', span, `\`${name}\` is a head; only \`utility\` reads predictions`)
      case 'function':
        return this.#type(span, `\`${name}\` is a function; write \`${name}(…)\``)
      default:
        return this.#problem('SPEC_UNKNOWN_NAME', span, this.#unknownName(name, parameters))
    }
  }

  #unknownName(name: string, parameters: Parameters): string {
    const names = [...(parameters?.keys() ?? []), ...this.#scope.entries.keys()]
    if (this.#scope.known.includes(name)) return `the input \`${name}\` is not declared; add \`input ${name}\``
    if (this.#catalogue.has(name)) return `\`${name}\` is a transform; write \`${name}(…)\``
    return unknown('a name of this spec', name, [...names, ...this.#scope.known])
  }

  #call(expression: Extract<Expression, { kind: 'call' }>, parameters: Parameters): Value {
    const { callee, span } = expression
    const args = expression.args.flatMap((arg) => this.#arguments(arg, parameters))
    const options = this.options(expression.params, parameters)
    const statement = this.#scope.entries.get(callee)?.statement
    if (statement?.kind === 'function') return this.#inline(statement, args, expression)
    if (this.#scope.broken.has(callee)) return unknownValue
    const transform = this.#catalogue.get(callee)
    if (transform === undefined) {
      const functions = [...this.#scope.entries.values()].filter((entry) => entry.statement.kind === 'function')
      const names = [...functions.map(({ name }) => name.name), ...this.#catalogue.keys()]
      return this.#problem('SPEC_UNKNOWN_NAME', span, unknown('a transform or a function', callee, names))
    }
    return options === null ? unknownValue : this.#apply(transform, args, options, span)
  }

  #arguments(expression: Expression, parameters: Parameters): Argument[] {
    if (expression.kind !== 'wildcard') return [{ value: this.value(expression, parameters), expression }]
    const inputs = [...this.#scope.inputs.values()].filter(({ name }) => groupOf(name) === expression.group)
    if (inputs.length === 0) {
      const groups = [...new Set([...this.#scope.inputs.keys()].map(groupOf))].filter((group) => group !== '')
      this.#problem(
        'SPEC_UNKNOWN_NAME',
        expression.span,
        unknown('a group of declared inputs', expression.group, groups),
      )
      return [{ value: unknownValue, expression }]
    }
    for (const { name } of inputs) this.read.add(name)
    return inputs.map((value) => ({ value, expression }))
  }

  #inline(
    statement: StatementOf<'function'>,
    args: readonly Argument[],
    call: Extract<Expression, { kind: 'call' }>,
  ): Value {
    const { name, parameters, value } = statement
    this.read.add(name.name)
    const wants = `${name.name}(${parameters.map((parameter) => parameter.name).join(', ')})`
    if (call.params.length > 0)
      return this.#problem(
        'SPEC_PARAMETER',
        call.params[0]!.span,
        `\`${name.name}\` is a function, which takes no named values; write \`${wants}\``,
      )
    if (args.length !== parameters.length)
      return this.#type(call.span, `\`${wants}\` takes ${parameters.length} values, but gets ${args.length}`)
    const values = new Map(parameters.map((parameter, index) => [parameter.name, args[index]!.value]))
    return this.#lookups.within(name.name, call.span, unknownValue, () => this.value(value, values))
  }

  #unary({ operator, operand, span }: Extract<Expression, { kind: 'unary' }>, parameters: Parameters): Value {
    const value = this.value(operand, parameters)
    if (value.kind === 'constant' && typeof value.value !== 'string')
      return { kind: 'constant', value: operator === '-' ? 0 - Number(value.value) : Number(value.value) === 0 }
    return this.#operator(operator === '-' ? 'negate' : 'not', [{ value, expression: operand }], span)
  }

  #binary({ operator, left, right, span }: Extract<Expression, { kind: 'binary' }>, parameters: Parameters): Value {
    const [a, b] = [this.value(left, parameters), this.value(right, parameters)]
    if (a.kind === 'constant' && b.kind === 'constant') {
      const value = fold(operator, a.value, b.value)
      if (value === null) return this.#type(span, `\`${operator}\` is not defined for texts`)
      if (typeof value === 'number' && !Number.isFinite(value))
        return this.#type(span, `this constant is not a finite number`)
      return { kind: 'constant', value }
    }
    const args = [
      { value: a, expression: left },
      { value: b, expression: right },
    ]
    return this.#operator(operatorTransforms[operator], args, span)
  }

  #if(expression: Extract<Expression, { kind: 'if' }>, parameters: Parameters): Value {
    const parts = [expression.condition, expression.then, expression.otherwise]
    const args = parts.map((part) => ({ value: this.value(part, parameters), expression: part }))
    const condition = args[0]!.value
    if (condition.kind === 'constant') return args[Number(condition.value) === 0 ? 2 : 1]!.value
    return this.#operator('if', args, expression.span)
  }

  #operator(name: string, args: readonly Argument[], span: Span): Value {
    const transform = this.#catalogue.get(name)
    if (transform === undefined) throw new Error(`the catalogue of transforms has no ${name}`)
    return this.#apply(transform, args, [], span)
  }

  #apply(transform: Transform, args: readonly Argument[], options: readonly GivenOption[], span: Span): Value {
    const { name, gradient } = transform
    const params = readOptions(transform.params, `\`${name}\``, options, span, this.#report) as Readonly<
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
    const values = args.map(({ value, expression }) => this.node(value, expression.span)!)
    const type = transform.typeOf(
      values.map((value) => value.type),
      params,
    )
    if ('problem' in type) {
      const at = type.arg === undefined ? span : (args[type.arg]?.expression.span ?? span)
      const given = type.arg === undefined ? undefined : values[type.arg]
      const is = given === undefined ? '' : `; this is ${formatType(given.type)}`
      return this.#type(at, `\`${name}\`: ${type.problem}${is}`)
    }
    return this.graph.node({ transform: name, gradient, args: values, params, type, span })
  }

  #type(span: Span, message: string): Value {
    return this.#problem('SPEC_TYPE', span, message)
  }

  #problem(code: LanguageErrorCode, span: Span, message: string): Value {
    this.#report({ code, span, message })
    return unknownValue
  }
}
