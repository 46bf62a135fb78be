import { tokenMatcher, type IToken } from 'chevrotain'
import { splitLines } from '../lines.ts'
import * as t from '../tokens.ts'

/** Where the cursor is: what stands before it in its statement. */
export interface Cursor {
  /** The tokens of the statement before the word at the cursor. */
  readonly before: readonly IToken[]
  /** Offset of the first character of the word at the cursor. */
  readonly from: number
  /** Whether the word is the first one of its line. */
  readonly isLineStart: boolean
}

/** Stands for the word that is being written, so that the text splits into statements as if it were there. */
const placeholder = 'zzcursor'

/** The statement around an offset; null: it is inside of a comment or a text. */
export function cursorAt(text: string, offset: number): Cursor | null {
  const before = text.slice(0, offset)
  const { statements, problems } = splitLines(before + placeholder, '')
  const lineStart = before.lastIndexOf('\n') + 1
  if (problems.some(({ span }) => span.from >= lineStart && before[span.from] === '"')) return null
  const statement = statements.at(-1) ?? []
  const word = statement.at(-1)
  if (word?.image.endsWith(placeholder) !== true) return null
  const isLineStart = before.slice(lineStart, word.startOffset).trim() === ''
  return { before: statement.slice(0, -1), from: word.startOffset, isLineStart }
}

/** The token at an offset, also if the offset is just behind its last character; null: there is none. */
export function tokenAt(text: string, offset: number): IToken | null {
  for (const statement of splitLines(text, '').statements)
    for (const token of statement)
      if (token.startOffset <= offset && offset <= token.endOffset! + 1 && tokenMatcher(token, t.Word)) return token
  return null
}

/** The name of the innermost call around the end of some tokens; null: they are not inside of a call. */
export function callAround(tokens: readonly IToken[]): string | null {
  let depth = 0
  for (let at = tokens.length - 1; at > 0; at--) {
    const { tokenType } = tokens[at]!
    if (tokenType === t.RightParen) depth++
    else if (tokenType === t.LeftParen && depth > 0) depth--
    else if (tokenType === t.LeftParen) {
      const callee = tokens[at - 1]!
      return tokenMatcher(callee, t.Name) && tokens[at - 2]?.tokenType !== t.statementWords.function
        ? callee.image
        : null
    }
  }
  return null
}

/** The name before the colon that ends some tokens: `calibrate` of `calibrate:`; null: they do not end so. */
export function optionBefore(tokens: readonly IToken[]): string | null {
  const [name, colon] = tokens.slice(-2)
  return colon?.tokenType === t.Colon && name !== undefined && tokenMatcher(name, t.Word) ? name.image : null
}
