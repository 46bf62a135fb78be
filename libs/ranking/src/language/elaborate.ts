import type { Expression, Option, Span, StatementOf } from './ast.ts'
import type { Scope } from './declare.ts'
import { elaborateCall } from './elaborate-call.ts'
import { elaborateBinary, elaborateIf, elaborateUnary } from './elaborate-operator.ts'
import type { Catalogue, Elaboration, Parameters } from './elaboration.ts'
import { Graph, unknownValue, type Value } from './graph.ts'
import { createLookups, type Lookups } from './lookups.ts'
import type { GivenOption } from './options.ts'
import { unknown, type LanguageErrorCode, type LanguageProblem } from './problem.ts'

/** A value of a parameter or a constant: plain JSON. */
export type Json = number | string | boolean | readonly Json[] | { readonly [name: string]: Json }

/**
 * Turns formulas into nodes of a graph: it looks names up, and evaluates constants and parameters. Calls, operators and the use
 * of transforms have files of their own. Each problem is reported once.
 */
export class Elaborator implements Elaboration {
  readonly graph = new Graph()
  readonly scope: Scope
  readonly catalogue: Catalogue
  readonly file: string
  readonly report: (problem: LanguageProblem) => void
  readonly #values = new Map<string, Value>()
  readonly #constants = new Map<string, Json | null>()
  readonly lookups: Lookups
  /** Names that some statement reads. */
  readonly read = new Set<string>()

  /** `file`: the spec's own file, also for statements that it inherits. */
  constructor(scope: Scope, catalogue: Catalogue, file: string, report: (problem: LanguageProblem) => void) {
    this.scope = scope
    this.file = file
    this.catalogue = catalogue
    this.report = report
    this.lookups = createLookups(report)
  }

  /** The value of a named feature, layer or head; `reader`: where it is read. */
  statement(name: string, expression: Expression, reader: Span = expression.span): Value {
    return this.lookups.once(this.#values, name, reader, unknownValue, () => this.value(expression, null))
  }

  /** The value of a constant statement; null after a problem. */
  constant(name: string, expression: Expression, reader: Span = expression.span): Json | null {
    return this.lookups.once(this.#constants, name, reader, null, () => this.json(expression, false))
  }

  /** Checks a function's body without arguments. */
  function({ name, parameters, value }: StatementOf<'function'>): void {
    for (const parameter of parameters)
      if (this.scope.entries.has(parameter.name))
        this.problem(
          'SPEC_SHADOWED',
          parameter.span,
          `the parameter \`${parameter.name}\` shadows a statement of this name; choose another name`,
        )
    const values = new Map(parameters.map((parameter) => [parameter.name, unknownValue]))
    this.lookups.within(name.name, value.span, unknownValue, () => this.value(value, values))
  }

  /** The value of a formula. */
  value = (expression: Expression, parameters: Parameters): Value => {
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
        return elaborateCall(expression, parameters, this)
      case 'unary':
        return elaborateUnary(expression, parameters, this)
      case 'binary':
        return elaborateBinary(expression, parameters, this)
      case 'if':
        return elaborateIf(expression, parameters, this)
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
        const constant = this.scope.entries.get(name)?.statement
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

  #readConstant(name: string, expression: Expression, reader: Span): Json | null {
    this.read.add(name)
    return this.constant(name, expression, reader)
  }

  #constantOf(value: Value, span: Span): Json | null {
    if (value.kind === 'constant') return value.value
    if (value.kind !== 'unknown') this.problem('SPEC_TYPE', span, 'this must be a constant, but it depends on inputs')
    return null
  }

  #name({ name, span }: { name: string; span: Span }, parameters: Parameters): Value {
    const parameter = parameters?.get(name)
    if (parameter !== undefined) return parameter
    const input = this.scope.inputs.get(name)
    const entry = this.scope.entries.get(name)
    this.read.add(name)
    if (this.scope.labels.has(name) && (entry === undefined || entry.statement.kind === 'input')) {
      const message = `\`${name}\` is a label: it is known only after the pin was shown; leave it out of features and layers`
      return this.problem('SPEC_READS_LABEL', span, message)
    }
    if (input !== undefined) return input
    if (this.scope.broken.has(name)) return unknownValue
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
        return this.problem('SPEC_READS_LABEL', span, `\`${name}\` is a head; only \`utility\` reads predictions`)
      case 'function':
        return this.#type(span, `\`${name}\` is a function; write \`${name}(…)\``)
      default:
        return this.problem('SPEC_UNKNOWN_NAME', span, this.#unknownName(name, parameters))
    }
  }

  #unknownName(name: string, parameters: Parameters): string {
    const names = [...(parameters?.keys() ?? []), ...this.scope.entries.keys()]
    if (this.scope.known.includes(name)) return `the input \`${name}\` is not declared; add \`input ${name}\``
    if (this.catalogue.has(name)) return `\`${name}\` is a transform; write \`${name}(…)\``
    return unknown('a name of this spec', name, [...names, ...this.scope.known])
  }

  #type(span: Span, message: string): Value {
    return this.problem('SPEC_TYPE', span, message)
  }

  /** Reports a mistake; what depends on the value is not checked. */
  problem = (code: LanguageErrorCode, span: Span, message: string): Value => {
    this.report({ code, span, message })
    return unknownValue
  }
}
