import type { IToken } from 'chevrotain'
import type { Expression, Statement, TypeExpression } from './ast.ts'
import { layoutFormula, layoutOption, quote } from './format-formula.ts'
import { all, commaSeparated, group, indent, render, type Layout } from './layout.ts'
import { parseLanguage } from './parse.ts'
import { LanguageError } from './problem.ts'

const maxColumns = 100

/**
 * The canonical text of a spec: one way to write each statement, at most one empty line in a row, and all comments. Formatting
 * twice changes nothing, and the plan stays the same. A statement with a comment inside keeps its lines, so that the comment
 * keeps its place. Throws a LanguageError if the text has syntax errors.
 */
export function formatSpec(text: string, file: string): string {
  const { statements, comments, problems } = parseLanguage(text, file)
  if (problems.length > 0) throw new LanguageError(problems)
  const pieces = [
    ...statements.map((statement) => statementPiece(text, statement, comments)),
    ...freeComments(text, statements, comments),
  ]
  pieces.sort((a, b) => a.from - b.from)
  let formatted = ''
  let end = 0
  for (const piece of pieces) {
    const gap = text.slice(end, piece.from)
    const hasEmptyLine = gap.split('\n').length > 2
    if (formatted !== '') formatted += hasEmptyLine ? '\n\n' : '\n'
    formatted += piece.text
    end = piece.to
  }
  return formatted === '' ? '' : `${formatted}\n`
}

/** A statement or a comment with its place in the old text. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly text: string
}

function statementPiece(text: string, statement: Statement, comments: readonly IToken[]): Piece {
  const { from, to } = statement.span
  const isInside = comments.some(({ startOffset }) => startOffset > from && startOffset < to)
  const lines = text.slice(from, to).split('\n')
  const written = isInside ? lines.map((line) => line.trimEnd()).join('\n') : formatStatement(statement)
  const trailing = comments.find((comment) => isTrailing(text, statement, comment))
  if (trailing === undefined) return { from, to, text: written }
  return { from, to: trailing.endOffset! + 1, text: `${written}  ${tidy(trailing)}` }
}

/** Comments that have lines of their own. */
function freeComments(text: string, statements: readonly Statement[], comments: readonly IToken[]): Piece[] {
  return comments
    .filter(
      (comment) =>
        !statements.some((statement) => isWithin(statement, comment) || isTrailing(text, statement, comment)),
    )
    .map((comment) => ({ from: comment.startOffset, to: comment.endOffset! + 1, text: tidy(comment) }))
}

function isWithin({ span }: Statement, { startOffset }: IToken): boolean {
  return startOffset > span.from && startOffset < span.to
}

function isTrailing(text: string, { span }: Statement, { startOffset }: IToken): boolean {
  return startOffset >= span.to && /^[ \t]*$/.test(text.slice(span.to, startOffset))
}

/** A comment with one space after its mark. */
function tidy({ image }: IToken): string {
  const said = image.slice(1).trimEnd()
  return said === '' || /^[\s#!]/.test(said) ? `#${said}` : `# ${said}`
}

/** The canonical text of a statement. */
export function formatStatement(statement: Statement): string {
  return render(layoutStatement(statement), maxColumns)
}

function layoutStatement(statement: Statement): Layout {
  switch (statement.kind) {
    case 'spec':
      return `spec ${statement.name.name}${statement.base === null ? '' : ` extends ${quote(statement.base.path)}`}`
    case 'input':
      return group(
        'input ',
        indent(nameList(statement.names)),
        statement.type === null ? '' : `: ${formatTypeExpression(statement.type)}`,
      )
    case 'const':
    case 'feature':
    case 'layer':
      return all(`${statement.kind} ${statement.name.name} = `, hanging(statement.value))
    case 'function':
      return all(
        `function ${statement.name.name}(${statement.parameters.map(({ name }) => name).join(', ')}) = `,
        hanging(statement.value),
      )
    case 'first phase':
      return all('first phase keep ', layoutFormula(statement.keep), ' by ', hanging(statement.score))
    case 'head': {
      const { name, of, value, options } = statement
      const layouts = [layoutFormula(value), ...options.map(layoutOption)]
      return all(`head ${name.name}: ${of.name} = `, indent(group(commaSeparated(layouts))))
    }
    case 'utility':
      return all('utility = ', hanging(statement.value))
    case 'explore':
      return all('explore = ', hanging(statement.value))
    case 'expose':
      return group('expose ', indent(nameList(statement.names)))
    case 'training only':
      return all(`training only ${statement.name.name} = `, layoutFormula(statement.value))
    case 'train':
      return group('train ', indent(commaSeparated(statement.options.map(layoutOption))))
  }
}

/** A formula after `=`: the lines of a chain of operators are indented, a call's brackets indent its own. */
function hanging(value: Expression): Layout {
  const layout = layoutFormula(value)
  return value.kind === 'binary' || value.kind === 'if' ? indent(layout) : layout
}

function nameList(names: readonly { readonly name: string }[]): Layout {
  return commaSeparated(names.map(({ name }) => name))
}

function formatTypeExpression({ name, size, of }: TypeExpression): string {
  return `${name}${size === null ? '' : `[${size}]`}${of === null ? '' : ` of ${formatTypeExpression(of)}`}`
}
