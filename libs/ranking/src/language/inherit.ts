import { posix } from 'node:path'
import type { Statement } from './ast.ts'
import { parseLanguage } from './parse.ts'
import type { LanguageProblem } from './problem.ts'

/** A statement with where it comes from. */
export interface OwnedStatement {
  readonly statement: Statement
  /** Whether it is from a spec that this one extends. */
  readonly inherited: boolean
}

/** All statements of a spec: its own and those that it inherits. */
export interface WholeSpec {
  /** The spec's own file, as the caller named it. */
  readonly file: string
  readonly statements: readonly OwnedStatement[]
  readonly brokenNames: readonly string[]
  readonly problems: readonly LanguageProblem[]
}

/** Reads a file that a spec names; throws if that fails. */
export type ReadFile = (path: string) => string

/**
 * Reads a spec and those that it extends. A statement replaces an inherited one of the same name at its place, so that the
 * order of inherited inputs stays; `train` replaces options, `expose` adds names.
 */
export function readWholeSpec(
  text: string,
  file: string,
  readFile: ReadFile,
  above: readonly string[] = [],
): WholeSpec {
  const parsed = parseLanguage(text, file)
  const own = parsed.statements.flatMap(perName).map((statement): OwnedStatement => ({ statement, inherited: false }))
  const base = parsed.statements.find((statement) => statement.kind === 'spec')?.base ?? null
  if (base === null) return { ...parsed, file, statements: own }
  const path = posix.isAbsolute(base.path) ? base.path : posix.join(posix.dirname(file), base.path)
  const chain = [...above, posix.normalize(file)]
  const fail = (code: 'SPEC_CYCLE' | 'SPEC_UNREADABLE', message: string): WholeSpec => ({
    ...parsed,
    file,
    statements: own,
    problems: [{ code, span: base.span, message }, ...parsed.problems],
  })
  if (chain.includes(path)) return fail('SPEC_CYCLE', `specs extend each other: ${[...chain, path].join(' → ')}`)
  let baseText: string
  try {
    baseText = readFile(path)
  } catch (error) {
    return fail('SPEC_UNREADABLE', `${path} cannot be read (${(error as Error).message})`)
  }
  const inherited = readWholeSpec(baseText, path, readFile, chain)
  return {
    file,
    statements: merge(inherited.statements, own),
    brokenNames: [...inherited.brokenNames, ...parsed.brokenNames],
    problems: [...inherited.problems, ...parsed.problems],
  }
}

function merge(inherited: readonly OwnedStatement[], own: readonly OwnedStatement[]): OwnedStatement[] {
  const merged = inherited.map(({ statement }): OwnedStatement => ({ statement, inherited: true }))
  const added: OwnedStatement[] = []
  for (const mine of own) {
    const at = merged.findIndex(({ statement }) => replaces(mine.statement, statement))
    if (at === -1) added.push(mine)
    else merged[at] = { ...mine, statement: combined(merged[at]!.statement, mine.statement) }
  }
  return [...merged, ...added]
}

const definitions: ReadonlySet<string> = new Set(['const', 'feature', 'layer'])

function replaces(mine: Statement, theirs: Statement): boolean {
  if (mine.kind === 'expose') return false
  if (mine.kind === 'input') return theirs.kind === 'input' && mine.names[0]!.name === theirs.names[0]!.name
  if ('name' in mine && 'name' in theirs && mine.kind !== 'spec') {
    const isSameKind = mine.kind === theirs.kind || (definitions.has(mine.kind) && definitions.has(theirs.kind))
    return isSameKind && mine.name.name === theirs.name.name
  }
  return mine.kind === theirs.kind
}

function combined(theirs: Statement, mine: Statement): Statement {
  if (theirs.kind !== 'train' || mine.kind !== 'train') return mine
  const kept = theirs.options.filter(({ name }) => !mine.options.some((option) => option.name === name))
  return { ...mine, options: [...kept, ...mine.options] }
}

/** One statement for each input. */
function perName(statement: Statement): Statement[] {
  return statement.kind === 'input' ? statement.names.map((name) => ({ ...statement, names: [name] })) : [statement]
}
