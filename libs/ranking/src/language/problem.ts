import { CodedError } from '@freshet/domain/coded-error'
import { nearest } from '@freshet/domain/nearest'
import { rankingErrorCatalogue } from '../errors.ts'
import type { Span } from './ast.ts'

/** What can be wrong with a spec in the ranking language. */
export type LanguageErrorCode = Extract<keyof typeof rankingErrorCatalogue, `SPEC_${string}`>

/** One mistake in a spec. */
export interface LanguageProblem {
  readonly code: LanguageErrorCode
  readonly span: Span
  /** What is wrong and how to mend it. */
  readonly message: string
}

/** A spec has mistakes. `problems` lists all of them in the order of the text; `code` is that of the first. */
export class LanguageError extends CodedError<LanguageErrorCode> {
  readonly problems: readonly LanguageProblem[]
  constructor(problems: readonly LanguageProblem[]) {
    const code = problems[0]!.code
    super(code, rankingErrorCatalogue[code], listOf(problems))
    this.problems = problems
  }
}

/** A single mistake goes without its code, which is that of the error. */
function listOf(problems: readonly LanguageProblem[]): string {
  const [first] = problems
  if (problems.length === 1) return `${placeOf(first!)}: ${first!.message}`
  return `${problems.length} mistakes:\n${problems.map((problem) => `  ${formatProblem(problem)}`).join('\n')}`
}

/** `home.rank:12:9: SPEC_TYPE: …` */
export function formatProblem(problem: LanguageProblem): string {
  return `${placeOf(problem)}: ${problem.code}: ${problem.message}`
}

/** `home.rank:12:9` */
function placeOf({ span: { file, line, column } }: LanguageProblem): string {
  return `${file}:${line}:${column}`
}

/** Says that a name is unknown and suggests the nearest known one, or lists all if they are few. */
export function unknown(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  if (near !== null) return `\`${name}\` is not ${what}; did you mean \`${near}\`?`
  if (known.length === 0) return `\`${name}\` is not ${what}; there is none`
  const some = known.slice(0, maxListed).join(', ')
  return `\`${name}\` is not ${what}; there ${known.length === 1 ? 'is' : 'are'} ${some}${known.length > maxListed ? ', …' : ''}`
}

const maxListed = 24
