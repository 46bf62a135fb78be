import { posix } from 'node:path'
import type { Span } from '../ast.ts'
import type { SpecAnalysis } from './analysis.ts'
import { tokenAt } from './cursor.ts'
import { statementOf } from './describe.ts'

/** Where the name at an offset is declared, or the file after `extends`; null: it is not declared. */
export function definitionAt(analysis: SpecAnalysis, offset: number): Span | null {
  const base = baseAt(analysis, offset)
  if (base !== null) return base
  const token = tokenAt(analysis.text, offset)
  if (token === null) return null
  const own = parameterAt(analysis, token.image, offset)
  if (own !== null) return own
  const statement = statementOf(analysis, token.image)
  if (statement === null) return null
  if (statement.kind === 'input') return statement.names.find(({ name }) => name === token.image)!.span
  return 'name' in statement ? statement.name.span : null
}

/** The parameter of a function, inside of the function. */
function parameterAt({ statements, file }: SpecAnalysis, name: string, offset: number): Span | null {
  for (const { statement } of statements) {
    const { span } = statement
    if (statement.kind !== 'function' || span.file !== file || offset < span.from || offset > span.to) continue
    return statement.parameters.find((parameter) => parameter.name === name)?.span ?? null
  }
  return null
}

function baseAt({ statements, file }: SpecAnalysis, offset: number): Span | null {
  for (const { statement } of statements) {
    if (statement.kind !== 'spec' || statement.base === null || statement.span.file !== file) continue
    const { path, span } = statement.base
    if (offset < span.from || offset > span.to) continue
    const target = posix.isAbsolute(path) ? path : posix.join(posix.dirname(file), path)
    return { file: target, line: 1, column: 1, from: 0, to: 0 }
  }
  return null
}
