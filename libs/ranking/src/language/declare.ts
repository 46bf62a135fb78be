import type { PlanInput, Side } from '../plan/plan.ts'
import type { Declared, Statement, StatementOf } from './ast.ts'
import type { GraphInput } from './graph.ts'
import type { OwnedStatement } from './inherit.ts'
import { unknown, type LanguageProblem } from './problem.ts'
import { readType } from './types.ts'

/** An input that a spec may declare by its name alone. */
export interface KnownInput extends PlanInput {
  /** false: it is known only after the pin was shown, so a spec that reads it must give a value for serving. */
  readonly isServed?: boolean
}

/** A statement that declares a name. */
export type NamedStatement = StatementOf<'input' | 'const' | 'feature' | 'layer' | 'function' | 'head'>

/** What a name of a spec stands for. */
export interface Entry {
  readonly name: Declared
  readonly statement: NamedStatement
  readonly inherited: boolean
}

/** All names of a spec. */
export interface Scope {
  readonly entries: ReadonlyMap<string, Entry>
  /** Inputs in the order of their declarations. */
  readonly inputs: ReadonlyMap<string, GraphInput>
  /** Names whose statements have a mistake already. */
  readonly broken: ReadonlySet<string>
  /** Names of the labels that heads learn. */
  readonly labels: ReadonlySet<string>
  /** Names of the inputs that serving has, declared or not. */
  readonly known: readonly string[]
}

/** The id of the node of the first phase's score. */
export const firstPhaseId = 'first_phase'

/** The id of the node of `explore`. A statement has none of its words as a name, so it is free. */
export const exploreId = 'explore'

type Report = (problem: LanguageProblem) => void

/**
 * Collects the names that a spec declares. Reports names that shadow an input, another statement, a group of inputs or a
 * transform, and inputs of an unknown name or without a type. `known`: the inputs of serving; null: rows, which have any.
 */
export function declare(
  statements: readonly OwnedStatement[],
  brokenNames: readonly string[],
  known: readonly KnownInput[] | null,
  isTransform: (name: string) => boolean,
  report: Report,
): Scope {
  const entries = new Map<string, Entry>()
  const broken = new Set(brokenNames)
  for (const { statement, inherited } of statements) {
    for (const name of namesOf(statement)) {
      const problem = nameProblem(name, statement, entries, isTransform)
      if (problem !== null) report({ code: 'SPEC_SHADOWED', span: name.span, message: problem })
      else entries.set(name.name, { name, statement: statement as NamedStatement, inherited })
    }
  }
  reportGroups(entries, report)
  reportRepeats(statements, report)
  const inputs = new Map<string, GraphInput>()
  for (const { name, statement } of entries.values()) {
    if (statement.kind !== 'input') continue
    const input = readInput(name, statement, known, report)
    if (input === null) broken.add(name.name)
    else inputs.set(name.name, input)
  }
  return { entries, inputs, broken, labels: labelsOf(statements), known: (known ?? []).map(({ name }) => name) }
}

function namesOf(statement: Statement): readonly Declared[] {
  switch (statement.kind) {
    case 'input':
      return statement.names
    case 'const':
    case 'feature':
    case 'layer':
    case 'function':
    case 'head':
      return [statement.name]
    default:
      return []
  }
}

function nameProblem(
  { name }: Declared,
  statement: Statement,
  entries: ReadonlyMap<string, Entry>,
  isTransform: (name: string) => boolean,
): string | null {
  const earlier = entries.get(name)
  if (earlier !== undefined) {
    const what = earlier.statement.kind === 'input' ? 'the input' : `the ${earlier.statement.kind}`
    const { file, line } = earlier.name.span
    return `\`${name}\` shadows ${what} of ${file}:${line}; choose another name`
  }
  if (statement.kind === 'function' && isTransform(name))
    return `\`${name}\` shadows the transform of this name; choose another name`
  if (name === firstPhaseId) return `\`${name}\` is the name of the first phase's score; choose another name`
  if (statement.kind !== 'input' && name.includes('.'))
    return `\`${name}\` has a dot, which only names of inputs have; choose another name`
  return null
}

function reportGroups(entries: ReadonlyMap<string, Entry>, report: Report): void {
  const groups = new Map<string, string>()
  for (const { name, statement } of entries.values())
    if (statement.kind === 'input' && name.name.includes('.')) groups.set(groupOf(name.name), name.name)
  for (const { name } of entries.values()) {
    const input = groups.get(name.name)
    if (input === undefined) continue
    const message = `\`${name.name}\` shadows the group of the input ${input}; choose another name`
    report({ code: 'SPEC_SHADOWED', span: name.span, message })
  }
}

/** Statements of which a file has at most one. */
const single: ReadonlySet<string> = new Set(['spec', 'first phase', 'utility', 'train'])

function reportRepeats(statements: readonly OwnedStatement[], report: Report): void {
  const seen = new Map<string, Statement>()
  for (const { statement, inherited } of statements) {
    const isRepeatable = !single.has(statement.kind) && statement.kind !== 'training only'
    if (inherited || isRepeatable) continue
    const key = statement.kind === 'training only' ? `training only ${statement.name.name}` : statement.kind
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, statement)
    else {
      const message = `a second \`${key}\`; the first is in line ${earlier.span.line}; keep one`
      report({ code: 'SPEC_SHADOWED', span: statement.span, message })
    }
  }
}

function readInput(
  { name, span }: Declared,
  statement: StatementOf<'input'>,
  known: readonly KnownInput[] | null,
  report: Report,
): GraphInput | null {
  const declared = statement.type === null ? null : readType(statement.type, report)
  if (statement.type !== null && declared === null) return null
  const serving = known?.find((input) => input.name === name)
  if (known !== null && serving === undefined) {
    const names = known.map((input) => input.name)
    report({ code: 'SPEC_UNKNOWN_NAME', span, message: unknown('an input of serving', name, names) })
    return null
  }
  const type = serving?.type ?? declared
  if (type === null) {
    report({ code: 'SPEC_TYPE', span, message: `the input \`${name}\` needs a type; write \`input ${name}: scalar\`` })
    return null
  }
  if (serving !== undefined && declared !== null && JSON.stringify(declared) !== JSON.stringify(serving.type)) {
    const message = `serving has another type of \`${name}\`; leave the type out`
    report({ code: 'SPEC_TYPE', span: statement.type!.span, message })
  }
  return { kind: 'input', name, type, side: serving?.side ?? sideOf(name) }
}

/** The part of an input's name before its last dot. */
export function groupOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'))
}

const requestGroups: ReadonlySet<string> = new Set(['user', 'request', 'session'])

/** The side of an input by its group. */
function sideOf(name: string): Side {
  return requestGroups.has(name.split('.')[0]!) && name.includes('.') ? 'request' : 'candidate'
}

function labelsOf(statements: readonly OwnedStatement[]): ReadonlySet<string> {
  return new Set(statements.flatMap(({ statement }) => (statement.kind === 'head' ? [labelOf(statement)] : [])))
}

/** The name of the label that a head learns. */
export function labelOf(head: StatementOf<'head'>): string {
  const value = head.options.find(({ name }) => name === 'label')?.value
  if (value?.kind === 'name') return value.name
  return value?.kind === 'text' ? value.value : head.name.name
}
