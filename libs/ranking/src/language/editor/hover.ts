import { statementWordOf } from '../lines.ts'
import type { SpecAnalysis } from './analysis.ts'
import { tokenAt } from './cursor.ts'
import { describeName, describeWord, type NameDescription } from './describe.ts'

/** What an editor shows for the word under the pointer. */
export interface Hover {
  readonly from: number
  readonly to: number
  /** Markdown. */
  readonly text: string
}

/** Describes the name, the transform or the statement at an offset; null: there is nothing to say. */
export function hoverAt(analysis: SpecAnalysis, offset: number): Hover | null {
  const token = tokenAt(analysis.text, offset)
  if (token === null) return null
  const description = statementWordOf(token) === null ? describeName(analysis, token.image) : describeWord(token.image)
  if (description === null) return null
  return { from: token.startOffset, to: token.endOffset! + 1, text: markdownOf(description) }
}

/** A description in Markdown: the title as code, each line a paragraph. */
export function markdownOf({ title, lines }: NameDescription): string {
  return [`\`\`\`\n${title}\n\`\`\``, ...lines].join('\n\n')
}
