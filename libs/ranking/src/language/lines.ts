import { Lexer, tokenMatcher, type IToken, type TokenType } from 'chevrotain'
import type { Span } from './ast.ts'
import type { LanguageProblem } from './problem.ts'
import * as t from './tokens.ts'

const lexer = new Lexer(t.allTokens, { positionTracking: 'full' })

/** The text of a spec as tokens. */
export interface Lines {
  /** The tokens of each statement, at least one. */
  readonly statements: readonly (readonly IToken[])[]
  readonly comments: readonly IToken[]
  readonly problems: readonly LanguageProblem[]
}

/**
 * Splits a spec into statements: one a line. A line continues while a bracket is open, after an operator, a comma or a colon,
 * and if the next line begins with one. A word that begins statements always begins one, so that an open bracket spoils no
 * more than its own statement.
 */
export function splitLines(text: string, file: string): Lines {
  const { tokens, groups, errors } = lexer.tokenize(text)
  const statements: IToken[][] = []
  let statement: IToken[] = []
  let depth = 0
  let isNewLine = true
  for (const token of tokens) {
    if (token.tokenType === t.Newline) {
      isNewLine = true
      continue
    }
    if (isNewLine && endsBefore(token, statement.at(-1), depth)) {
      if (statement.length > 0) statements.push(statement)
      statement = []
      depth = 0
    }
    isNewLine = false
    statement.push(token)
    if (opening.has(token.tokenType)) depth++
    else if (closing.has(token.tokenType)) depth = Math.max(0, depth - 1)
  }
  if (statement.length > 0) statements.push(statement)
  const problems = errors.map(({ line = 1, column = 1, offset, length }): LanguageProblem => {
    const span = { file, line, column, from: offset, to: offset + length }
    return { code: 'SPEC_SYNTAX', span, message: lexerMessage(text.slice(offset, offset + length)) }
  })
  return { statements, comments: groups['comments'] ?? [], problems }
}

function endsBefore(token: IToken, last: IToken | undefined, depth: number): boolean {
  if (beginning.has(token.tokenType) || last === undefined) return true
  return depth === 0 && !joining.has(last.tokenType) && !leading.has(token.tokenType)
}

function lexerMessage(found: string): string {
  if (found.startsWith('"')) return 'this text has no closing `"` on its line'
  if (found.startsWith('&')) return '`&` is not part of the language; write `and`'
  if (found.startsWith('|')) return '`|` is not part of the language; write `or`'
  if (found.startsWith('!')) return '`!` is not part of the language; write `not`'
  if (found.startsWith("'")) return "`'` is not part of the language; write texts in double quotes"
  const shown = Array.from(found).slice(0, 20).join('')
  return `\`${shown}\` is not part of the language; remove it`
}

/** The span from one token to another. */
export function spanOf(first: IToken, last: IToken, file: string): Span {
  const { startLine = 1, startColumn = 1, startOffset } = first
  const to = Number.isFinite(last.endOffset) ? last.endOffset! + 1 : startOffset
  return { file, line: startLine, column: startColumn, from: startOffset, to }
}

/** The word that begins a statement of this token, if it does. */
export function statementWordOf(token: IToken): keyof typeof t.statementWords | null {
  const found = Object.entries(t.statementWords).find(([, type]) => tokenMatcher(token, type))
  return (found?.[0] as keyof typeof t.statementWords | undefined) ?? null
}

const beginning: ReadonlySet<TokenType> = new Set(Object.values(t.statementWords))
const opening: ReadonlySet<TokenType> = new Set([t.LeftParen, t.LeftBracket, t.LeftBrace])
const closing: ReadonlySet<TokenType> = new Set([t.RightParen, t.RightBracket, t.RightBrace])
const infix = [t.Plus, t.Times, t.Divide, t.Power, t.Comparison, t.And, t.Or, t.Then, t.Else, t.Comma]
/** Tokens after which a statement continues on the next line. */
const joining: ReadonlySet<TokenType> = new Set([...infix, t.Minus, t.Equals, t.Colon, t.If, t.Not, t.By])
/** Tokens that continue the statement of the line above. */
const leading: ReadonlySet<TokenType> = new Set([
  ...infix,
  t.Minus,
  t.Equals,
  t.RightParen,
  t.RightBracket,
  t.RightBrace,
])
