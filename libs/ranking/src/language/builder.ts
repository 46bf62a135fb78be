import type { ElementType, ValueType } from '../plan/value-type.ts'
import type { BinaryOperator, Declared, Expression, Option, Span, Statement, TypeExpression } from './ast.ts'
import { checkSpec } from './check.ts'
import { planOf, type CompiledSpec, type CompileOptions } from './compile.ts'
import { formatStatement } from './format.ts'

/** A formula for the builder: a number, a name, or what the functions below make. */
export type Formula = number | string | Expression

/** A value of a parameter: a number, a word, a switch, a list or a map. */
export type ParameterValue =
  number | string | boolean | readonly ParameterValue[] | { readonly [name: string]: ParameterValue }

type Parameters = Readonly<Record<string, ParameterValue>>

/** Builds a spec in TypeScript. It compiles to the same plan, byte for byte, as the text of the same statements. */
export interface SpecBuilder {
  input(name: string, type?: ValueType): SpecBuilder
  constant(name: string, value: ParameterValue): SpecBuilder
  feature(name: string, value: Formula): SpecBuilder
  layer(name: string, value: Formula): SpecBuilder
  firstPhase(keep: number, score: Formula): SpecBuilder
  head(name: string, kind: 'probability' | 'amount', value: Formula, options?: Parameters): SpecBuilder
  utility(weights: Readonly<Record<string, number>>): SpecBuilder
  explore(deviation: Formula): SpecBuilder
  expose(...names: readonly string[]): SpecBuilder
  trainingOnly(input: string, servingValue: number): SpecBuilder
  train(options: Parameters): SpecBuilder
  /** Throws a LanguageError that lists all mistakes; their lines are the numbers of the statements. */
  compile(options: Pick<CompileOptions, 'catalogue' | 'inputs'>): CompiledSpec
  /** The statements as canonical text. */
  toText(): string
}

const nowhere: Span = { file: 'builder', line: 1, column: 1, from: 0, to: 0 }

/** A new spec of this name. */
export function specBuilder(name: string): SpecBuilder {
  const statements: Statement[] = []
  const add = (statement: Statement): SpecBuilder => {
    // Problems name the number of their statement.
    const at = statements.length
    statements.push(placed(statement, { ...nowhere, line: at + 1, from: at, to: at }))
    return builder
  }
  const builder: SpecBuilder = {
    input: (input, type) => {
      return add({
        kind: 'input',
        names: [declared(input)],
        type: type === undefined ? null : typeExpression(type),
        span: nowhere,
      })
    },
    constant: (constant, value) =>
      add({ kind: 'const', name: declared(constant), value: parameter(value), span: nowhere }),
    feature: (feature, value) =>
      add({ kind: 'feature', name: declared(feature), value: formula(value), span: nowhere }),
    layer: (layer, value) => add({ kind: 'layer', name: declared(layer), value: formula(value), span: nowhere }),
    firstPhase: (keep, score) =>
      add({ kind: 'first phase', keep: formula(keep), score: formula(score), span: nowhere }),
    head: (head, kind, value, options = {}) => {
      return add({
        kind: 'head',
        name: declared(head),
        of: declared(kind),
        value: formula(value),
        options: named(options),
        span: nowhere,
      })
    },
    utility: (weights) => {
      const terms = Object.entries(weights).map(([head, weight]) => infix(weight, '*', head))
      return add({ kind: 'utility', value: terms.reduce((sum, term) => infix(sum, '+', term)), span: nowhere })
    },
    explore: (deviation) => add({ kind: 'explore', value: formula(deviation), span: nowhere }),
    expose: (...names) => add({ kind: 'expose', names: names.map((exposed) => declared(exposed)), span: nowhere }),
    trainingOnly: (input, value) =>
      add({ kind: 'training only', name: declared(input), value: formula(value), span: nowhere }),
    train: (options) => add({ kind: 'train', options: named(options), span: nowhere }),
    compile({ catalogue, inputs }) {
      const owned = statements.map((statement) => ({ statement, inherited: false }))
      return planOf(
        checkSpec({ file: nowhere.file, statements: owned, brokenNames: [], problems: [] }, catalogue, inputs),
      )
    },
    toText: () => `${statements.map(formatStatement).join('\n')}\n`,
  }
  return add({ kind: 'spec', name: declared(name), base: null, span: nowhere })
}

/** A call of a transform: `call('clip', ['pin.saves'], { low: 0, high: 10 })`. A group as an argument: `user.*`. */
export function call(transform: string, args: readonly Formula[], params: Parameters = {}): Expression {
  return { kind: 'call', callee: transform, args: args.map(formula), params: named(params), span: nowhere }
}

/** An infix formula: `infix('pin.saves', '/', 'pin.impressions')`. */
export function infix(left: Formula, operator: BinaryOperator, right: Formula): Expression {
  return { kind: 'binary', operator, left: formula(left), right: formula(right), span: nowhere }
}

/** `if condition then … else …`. */
export function either(condition: Formula, then: Formula, otherwise: Formula): Expression {
  return {
    kind: 'if',
    condition: formula(condition),
    then: formula(then),
    otherwise: formula(otherwise),
    span: nowhere,
  }
}

function formula(value: Formula): Expression {
  if (typeof value === 'number') return { kind: 'number', value, text: String(value), span: nowhere }
  if (typeof value !== 'string') return value
  if (value.endsWith('.*')) return { kind: 'wildcard', group: value.slice(0, -2), span: nowhere }
  return { kind: 'name', name: value, span: nowhere }
}

function parameter(value: ParameterValue): Expression {
  if (typeof value === 'boolean') return { kind: 'boolean', value, span: nowhere }
  if (typeof value === 'string') return { kind: 'text', value, span: nowhere }
  if (typeof value === 'number') return formula(value)
  if (isList(value)) return { kind: 'list', items: value.map(parameter), span: nowhere }
  return { kind: 'map', entries: named(value), span: nowhere }
}

function isList(value: ParameterValue): value is readonly ParameterValue[] {
  return Array.isArray(value)
}

function named(params: Parameters): Option[] {
  return Object.entries(params).map(([name, value]) => ({ name, value: parameter(value), span: nowhere }))
}

function declared(name: string): Declared {
  return { name, span: nowhere }
}

function typeExpression(type: ValueType | ElementType): TypeExpression {
  switch (type.kind) {
    case 'vector':
      return { name: 'vector', size: type.size, of: null, span: nowhere }
    case 'index':
      return { name: 'index', size: type.rows, of: null, span: nowhere }
    case 'sequence':
      return { name: 'sequence', size: type.max, of: typeExpression(type.of), span: nowhere }
    default:
      return { name: type.kind, size: null, of: null, span: nowhere }
  }
}

/** The same with another place in all its parts. */
function placed<Part>(part: Part, span: Span): Part {
  if (Array.isArray(part)) return part.map((inner: unknown) => placed(inner, span)) as Part
  if (typeof part !== 'object' || part === null) return part
  const entries = Object.entries(part).map(([key, inner]) => [
    key,
    key === 'span' ? span : placed(inner as unknown, span),
  ])
  return Object.fromEntries(entries) as Part
}
