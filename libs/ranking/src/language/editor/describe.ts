import type { Side } from '../../plan/plan.ts'
import { formatType } from '../../plan/value-type.ts'
import type { Transform } from '../../transforms/definition.ts'
import type { Statement } from '../ast.ts'
import { formatFormula } from '../format-formula.ts'
import type { GraphValue } from '../graph.ts'
import { parametersOf } from '../options.ts'
import { statementReference } from '../statement-reference.ts'
import type { EditorInput, SpecAnalysis } from './analysis.ts'

/** What is known about a name of a spec. */
export interface NameDescription {
  readonly kind: 'input' | 'const' | 'function' | 'feature' | 'layer' | 'head' | 'transform' | 'statement'
  /** One line, such as `pin.age: scalar`. */
  readonly title: string
  /** Sentences or formulas. */
  readonly lines: readonly string[]
}

const sideTexts: Readonly<Record<Side, string>> = {
  request: 'the same for all candidates of a request',
  candidate: 'a value for each candidate',
}

/** Describes a declared name or a transform: type, side, unit and formula; null: the spec does not have the name. */
export function describeName(analysis: SpecAnalysis, name: string): NameDescription | null {
  const statement = statementOf(analysis, name)
  if (statement !== null) return describeStatement(analysis, name, statement)
  const transform = analysis.catalogue.get(name)
  return transform === undefined ? null : describeTransform(transform)
}

/** The statement that declares a name. */
export function statementOf({ statements }: SpecAnalysis, name: string): Statement | null {
  const found = statements.find(({ statement }) => namesOf(statement).includes(name))
  return found?.statement ?? null
}

function namesOf(statement: Statement): readonly string[] {
  switch (statement.kind) {
    case 'input':
      return statement.names.map((declared) => declared.name)
    case 'const':
    case 'function':
    case 'feature':
    case 'layer':
    case 'head':
      return [statement.name.name]
    default:
      return []
  }
}

function describeStatement(analysis: SpecAnalysis, name: string, statement: Statement): NameDescription | null {
  const { spec } = analysis
  switch (statement.kind) {
    case 'input': {
      const known = analysis.inputs?.find((each) => each.name === name)
      const input = known ?? spec.inputs.find((each) => each.name === name)
      return input === undefined ? null : describeInput(input)
    }
    case 'const':
      return { kind: 'const', title: `const ${name} = ${formatFormula(statement.value)}`, lines: [] }
    case 'function': {
      const parameters = statement.parameters.map((parameter) => parameter.name).join(', ')
      const title = `function ${name}(${parameters}) = ${formatFormula(statement.value)}`
      return { kind: 'function', title, lines: [] }
    }
    case 'feature':
    case 'layer':
    case 'head': {
      const value = spec.values.get(name)
      const formula = formatFormula(statement.value)
      const what = statement.kind === 'head' ? statement.of.name : value && formatType(value.type)
      const title = `${statement.kind} ${name}${what === undefined ? '' : `: ${what}`}`
      const facts = value === undefined ? [] : [`${gradientOf(value)}; ${sideTexts[value.side]}`]
      return { kind: statement.kind, title, lines: [`\`${formula}\``, ...facts] }
    }
    default:
      return null
  }
}

/** Describes an input by its type, its side and its unit. */
export function describeInput({ name, type, side, unit, isServed }: EditorInput): NameDescription {
  return {
    kind: 'input',
    title: `input ${name}: ${formatType(type)}`,
    lines: [
      sideTexts[side],
      ...(unit === undefined || unit === '' ? [] : [`unit: ${unit}`]),
      ...(isServed === false ? [`write \`training only ${name} = 0\``] : []),
    ],
  }
}

/** Describes a transform by its parameters, its formula and its class. */
export function describeTransform({ name, summary, formula, gradient, params }: Transform): NameDescription {
  const parameters = parametersOf(params).map((parameter) =>
    parameter.standard === null ? `${parameter.name}: …` : `${parameter.name}: ${parameter.standard}`,
  )
  return {
    kind: 'transform',
    title: `${name}(${['…', ...parameters].join(', ')})`,
    lines: [summary, `\`${formula}\``, gradient],
  }
}

/** Describes the word that begins a statement; null: there is no such statement. */
export function describeWord(word: string): NameDescription | null {
  const found = statementReference.find((statement) => statement.word === word.replaceAll(/\s+/g, ' '))
  return found === undefined ? null : { kind: 'statement', title: found.syntax, lines: [found.summary] }
}

/** Whether data decide about a value: `learned` or `fitted` if a part of its formula is. */
function gradientOf(value: GraphValue): Transform['gradient'] {
  if (value.kind === 'input') return 'fixed'
  const parts = [value.gradient, ...value.args.map(gradientOf)]
  return parts.includes('learned') ? 'learned' : parts.includes('fitted') ? 'fitted' : 'fixed'
}
