import type { ElementType, ValueType } from '../plan/value-type.ts'
import type { TypeExpression } from './ast.ts'
import { unknown, type LanguageProblem } from './problem.ts'

/** The words of types. */
export const typeNames = ['scalar', 'vector', 'category', 'index', 'sequence']

/** The type that a spec writes; null after a problem. */
export function readType(type: TypeExpression, report: (problem: LanguageProblem) => void): ValueType | null {
  const problem = (message: string): null => {
    report({ code: 'SPEC_TYPE', span: type.span, message })
    return null
  }
  const { name, size, of } = type
  if (!typeNames.includes(name)) return problem(unknown('a type', name, typeNames))
  const isSized = name === 'vector' || name === 'index' || name === 'sequence'
  if (isSized && (size === null || !Number.isInteger(size) || size < 1))
    return problem(
      `\`${name}\` needs a size of at least 1; write \`${name}[8]${name === 'sequence' ? ' of category' : ''}\``,
    )
  if (!isSized && size !== null) return problem(`\`${name}\` has no size; write \`${name}\``)
  if (name !== 'sequence' && of !== null) return problem(`only a sequence is \`of\` something; write \`${name}\``)
  switch (name) {
    case 'scalar':
    case 'category':
      return { kind: name }
    case 'vector':
      return { kind: 'vector', size: size! }
    case 'index':
      return { kind: 'index', rows: size!, hashes: 1 }
    default:
      return sequence(size!, of, report, problem)
  }
}

function sequence(
  max: number,
  of: TypeExpression | null,
  report: (problem: LanguageProblem) => void,
  problem: (message: string) => null,
): ValueType | null {
  if (of === null) return problem(`a sequence needs the type of its elements; write \`sequence[${max}] of category\``)
  const element = readType(of, report)
  if (element === null) return null
  if (element.kind === 'sequence') return problem('a sequence cannot contain sequences')
  return { kind: 'sequence', of: element satisfies ElementType, max }
}
