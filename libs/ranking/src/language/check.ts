import type { Plan } from '../plan/plan.ts'
import { formatType } from '../plan/value-type.ts'
import type { Span, Statement, StatementOf } from './ast.ts'
import { declare, type KnownInput } from './declare.ts'
import { Elaborator } from './elaborate.ts'
import type { Catalogue } from './elaboration.ts'
import type { GraphValue } from './graph.ts'
import type { CheckedSpec, GraphHead } from './checked-spec.ts'
import type { OwnedStatement, WholeSpec } from './inherit.ts'
import {
  readExploration,
  readFirstPhase,
  readHead,
  readTraining,
  readUtility,
  type Reading,
} from './model-statements.ts'
import { unknown, type LanguageProblem } from './problem.ts'
import { applyRules } from './rules.ts'

/** Checks names, types and rules of a spec. `inputs`: what serving has; null: rows, whose inputs the spec declares with types. */
export function checkSpec(whole: WholeSpec, catalogue: Catalogue, inputs: readonly KnownInput[] | null): CheckedSpec {
  const problems = distinct(whole.problems)
  const { statements } = whole
  const report = problems.add
  const scope = declare(statements, whole.brokenNames, inputs, (name) => catalogue.has(name), report)
  const elaborator = new Elaborator(scope, catalogue, whole.file, report)
  const reading = { elaborator, scope, report }
  const read = readStatements(statements, reading)
  const utility = readUtilityOf(statements, read.heads, reading)
  const { inputs: declared } = scope
  const spec = { ...read, utility, name: nameOf(statements), inputs: [...declared.values()] }
  if (whole.problems.length === 0) reportIncomplete(statements, problems.count() > 0, report)
  const unserved = (inputs ?? []).filter(({ isServed }) => isServed === false).map(({ name }) => name)
  const warnings = applyRules(spec, { statements, read: elaborator.read, unserved: new Set(unserved) }, report)
  return { ...spec, problems: problems.sorted(), warnings }
}

type ReadSpec = Omit<CheckedSpec, 'name' | 'inputs' | 'utility' | 'problems' | 'warnings'>

function readStatements(statements: readonly OwnedStatement[], reading: Reading): ReadSpec {
  const { elaborator, scope } = reading
  const values = new Map<string, GraphValue>()
  const heads: GraphHead[] = []
  let firstPhase: CheckedSpec['firstPhase'] = null
  let exploration: CheckedSpec['exploration'] = null
  for (const { statement } of statements) {
    switch (statement.kind) {
      case 'const':
        elaborator.constant(statement.name.name, statement.value)
        break
      case 'function':
        elaborator.function(statement)
        break
      case 'feature':
      case 'layer': {
        const { name, value } = statement
        if (scope.entries.get(name.name)?.statement !== statement) break
        const node = elaborator.graph.valueOf(elaborator.statement(name.name, value), value.span)
        if (node !== null) values.set(name.name, node)
        break
      }
      case 'head': {
        const head = readHead(statement, reading)
        if (head === null) break
        heads.push(head)
        values.set(head.name, head.value)
        break
      }
      case 'first phase':
        firstPhase = readFirstPhase(statement, reading)
        break
      case 'explore':
        exploration = readExploration(statement, reading)
        break
      default:
    }
  }
  const train = only(statements, 'train')
  const training = readTraining(train, reading)
  const exposed = all(statements, 'expose').flatMap(({ names }) => names.flatMap((name) => readExposed(name, reading)))
  const trainingOnly = all(statements, 'training only').flatMap((statement) => readTrainingOnly(statement, reading))
  return { values, heads, firstPhase, exploration, exposed: unique(exposed), trainingOnly, training }
}

function readExposed(
  { name, span }: { readonly name: string; readonly span: Span },
  { elaborator, report }: Reading,
): CheckedSpec['exposed'] {
  const value = elaborator.graph.valueOf(elaborator.value({ kind: 'name', name, span }, null), span)
  if (value === null) return []
  if (value.type.kind === 'scalar') return [{ name, value, span }]
  const message = `only single numbers are exposed, but \`${name}\` is ${formatType(value.type)}`
  report({ code: 'SPEC_TYPE', span, message })
  return []
}

function readTrainingOnly(
  { name: { name, span }, value }: StatementOf<'training only'>,
  { elaborator, scope, report }: Reading,
): CheckedSpec['trainingOnly'] {
  const input = scope.inputs.get(name)
  const servingValue = elaborator.json(value, false)
  if (input === undefined) {
    if (scope.broken.has(name)) return []
    const message = unknown('a declared input', name, [...scope.inputs.keys()])
    report({ code: 'SPEC_UNKNOWN_NAME', span, message })
    return []
  }
  if (input.type.kind !== 'scalar')
    report({
      code: 'SPEC_TYPE',
      span,
      message: `only a scalar input is \`training only\`; this is ${formatType(input.type)}`,
    })
  if (typeof servingValue === 'number') return [{ input, servingValue }]
  if (servingValue !== null)
    report({ code: 'SPEC_TYPE', span: value.span, message: 'give the number that serving uses instead' })
  return []
}

/** The utility as written; without the statement, a single head counts with weight 1. */
function readUtilityOf(
  statements: readonly OwnedStatement[],
  heads: readonly GraphHead[],
  reading: Reading,
): Plan['utility'] {
  const statement = only(statements, 'utility')
  if (statement !== undefined) return readUtility(statement.value, reading) ?? []
  return heads.length === 1 ? [{ head: heads[0]!.name, weight: 1 }] : []
}

function reportIncomplete(
  statements: readonly OwnedStatement[],
  hasProblems: boolean,
  report: (problem: LanguageProblem) => void,
): void {
  const first = statements[0]?.statement.span ?? { file: '', line: 1, column: 1, from: 0, to: 0 }
  const incomplete = (message: string): void => report({ code: 'SPEC_INCOMPLETE', span: first, message })
  if (only(statements, 'spec') === undefined) incomplete('the spec has no name; begin with `spec NAME`')
  const heads = all(statements, 'head')
  if (heads.length === 0 && !hasProblems)
    incomplete('the spec predicts nothing; add a head, such as `head save: probability = linear(concat(a, b))`')
  if (heads.length > 1 && only(statements, 'utility') === undefined)
    incomplete('several heads need a utility; add for example `utility = 4 * save + 2 * click`')
}

function nameOf(statements: readonly OwnedStatement[]): string {
  return only(statements, 'spec')?.name.name ?? ''
}

function all<Kind extends Statement['kind']>(statements: readonly OwnedStatement[], kind: Kind): StatementOf<Kind>[] {
  return statements.flatMap(({ statement }) => (statement.kind === kind ? [statement as StatementOf<Kind>] : []))
}

function only<Kind extends Statement['kind']>(
  statements: readonly OwnedStatement[],
  kind: Kind,
): StatementOf<Kind> | undefined {
  return all(statements, kind)[0]
}

function unique<Item extends { readonly name: string }>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [item.name, item])).values()]
}

/** A list of problems without repeats: a function that is inlined twice has its mistake once. */
function distinct(first: readonly LanguageProblem[]) {
  const problems = new Map<string, LanguageProblem>()
  const add = (problem: LanguageProblem): void => {
    const { span, code, message } = problem
    problems.set(`${span.file} ${span.from} ${code} ${message}`, problem)
  }
  first.forEach(add)
  return {
    add,
    count: () => problems.size,
    sorted: () => [...problems.values()].sort((a, b) => (a.span.file === b.span.file ? a.span.from - b.span.from : 0)),
  }
}
