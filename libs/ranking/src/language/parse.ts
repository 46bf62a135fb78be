import type { IToken } from 'chevrotain'
import { nearest } from '@freshet/domain/nearest'
import type { Statement } from './ast.ts'
import { StatementParser } from './grammar.ts'
import { spanOf, splitLines, statementWordOf } from './lines.ts'
import { unknown, type LanguageProblem } from './problem.ts'
import * as t from './tokens.ts'

/** A spec as its author wrote it. */
export interface ParsedSpec {
  readonly statements: readonly Statement[]
  /** Names that statements with a syntax error declare, so that their uses are not reported as well. */
  readonly brokenNames: readonly string[]
  readonly comments: readonly IToken[]
  readonly problems: readonly LanguageProblem[]
}

const parser = new StatementParser()

/** Reads the statements of a spec. Reports one syntax problem for each statement that has any. `file` is for the messages. */
export function parseLanguage(text: string, file: string): ParsedSpec {
  const lines = splitLines(text, file)
  const problems = [...lines.problems]
  const statements: Statement[] = []
  const brokenNames: string[] = []
  parser.file = file
  for (const tokens of lines.statements) {
    const { statement, problem } = parseStatement(tokens, file)
    // Where the lexer left something out of a statement, what the parser says about the rest is of no use.
    const isCut = lines.problems.some(({ span }) => isWithin(span.line, tokens))
    if (problem !== null && !isCut) problems.push(problem)
    if (statement !== null && problem === null && !isCut) statements.push(statement)
    else brokenNames.push(...namesIn(tokens))
  }
  problems.sort((a, b) => a.span.from - b.span.from)
  return { statements, brokenNames, comments: lines.comments, problems }
}

function parseStatement(
  tokens: readonly IToken[],
  file: string,
): { readonly statement: Statement | null; readonly problem: LanguageProblem | null } {
  const first = tokens[0]!
  if (statementWordOf(first) === null) return { statement: null, problem: unknownStatement(tokens, file) }
  parser.input = [...tokens]
  const statement = parser.statement() as Statement | undefined
  const error = parser.errors[0]
  if (error === undefined) return { statement: statement ?? null, problem: null }
  const isEnd = error.token.image === ''
  const last = tokens.at(-1)!
  const span = isEnd ? endOf(last, file) : spanOf(error.token, error.token, file)
  return { statement: null, problem: { code: 'SPEC_SYNTAX', span, message: error.message } }
}

function unknownStatement(tokens: readonly IToken[], file: string): LanguageProblem {
  const words = Object.keys(t.statementWords)
  const first = tokens[0]!
  const span = spanOf(first, first, file)
  // `rate = …`: the name is there and the word before it is not.
  if (tokens[1]?.tokenType === t.Equals && nearest(first.image, words) === null)
    return {
      code: 'SPEC_SYNTAX',
      span,
      message: `a statement begins with a word; write \`feature ${first.image} = …\``,
    }
  return { code: 'SPEC_SYNTAX', span, message: unknown('a statement', first.image, words) }
}

/** The place after a token. */
function endOf(token: IToken, file: string): LanguageProblem['span'] {
  const { endLine = 1, endColumn = 1, endOffset = 0 } = token
  return { file, line: endLine, column: endColumn + 1, from: endOffset + 1, to: endOffset + 1 }
}

function isWithin(line: number, tokens: readonly IToken[]): boolean {
  return line >= (tokens[0]!.startLine ?? 1) && line <= (tokens.at(-1)!.endLine ?? 1)
}

/** The names that a broken statement most likely declares: those before its colon, equals sign or bracket. */
function namesIn(tokens: readonly IToken[]): string[] {
  const end = tokens.findIndex(({ tokenType }) => tokenType === t.Equals || tokenType === t.Colon)
  const head = tokens.slice(1, end === -1 ? 2 : end)
  return head.filter(({ tokenType }) => tokenType === t.Name).map(({ image }) => image)
}
