import type { ElementType, ValueType } from '../../plan/value-type.ts'
import type { TypeProblem } from '../definition.ts'

/** Numbers in a value of the type; null: it is not a number or a vector. */
export function widthOf(type: ValueType | undefined): number | null {
  if (type?.kind === 'scalar') return 1
  return type?.kind === 'vector' ? type.size : null
}

/** The type of an index, or of the indices of a sequence; null: the type is neither. */
export function indexOf(type: ValueType | undefined): Extract<ElementType, { kind: 'index' }> | null {
  const element = type?.kind === 'sequence' ? type.of : type
  return element?.kind === 'index' ? element : null
}

/** Numbers in all arguments together, which must be numbers or vectors. */
export function totalWidth(args: readonly ValueType[]): number {
  return args.reduce((sum, type) => sum + (widthOf(type) ?? 0), 0)
}

/** A vector of `size` numbers; one number is a scalar. */
export function vectorOf(size: number): ValueType {
  return size === 1 ? { kind: 'scalar' } : { kind: 'vector', size }
}

/** Says which argument is not a number or a vector, or that there is none; null: all are. */
export function problemOfNumbers(args: readonly ValueType[]): TypeProblem | null {
  if (args.length === 0) return { problem: 'needs at least one number or vector' }
  const arg = args.findIndex((type) => widthOf(type) === null)
  return arg < 0 ? null : { problem: `needs a number or a vector${hintFor(args[arg]!)}`, arg }
}

/** What makes numbers of a type that is not a number. */
export function hintFor(type: ValueType): string {
  if (indexOf(type) !== null) return '; embedding(…) makes a vector of an index'
  if (type.kind === 'category') return '; hash(…) or vocabulary(…) makes an index, embedding(…) makes a vector of it'
  return type.kind === 'sequence' ? '; pool(…) or attend(…) makes a vector of a sequence' : ''
}
