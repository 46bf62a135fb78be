import type { ElementType, ValueType } from '../plan/value-type.ts'
import { formatType } from '../plan/value-type.ts'
import type { TypeProblem } from './definition.ts'

/** What an argument may be. */
export type Wanted = keyof typeof wanted

const wanted = {
  scalar: { name: 'a number', fits: ({ kind }: ValueType) => kind === 'scalar' },
  vector: { name: 'a vector', fits: ({ kind }: ValueType) => kind === 'vector' },
  numbers: { name: 'a number or a vector', fits: isNumbers },
  numbersOrSequence: {
    name: 'a number, a vector, or a sequence of these',
    fits: (type: ValueType) => isNumbers(type) || (type.kind === 'sequence' && isNumbers(type.of)),
  },
  category: { name: 'a category', fits: ({ kind }: ValueType) => kind === 'category' },
  categories: {
    name: 'a category or a sequence of categories',
    fits: (type: ValueType) => elementOf(type).kind === 'category',
  },
  names: {
    name: 'a category, a bucket, or a sequence of these',
    fits: (type: ValueType) => isName(elementOf(type)),
  },
  sequence: { name: 'a sequence', fits: ({ kind }: ValueType) => kind === 'sequence' },
  categorySequence: {
    name: 'a sequence of categories',
    fits: (type: ValueType) => type.kind === 'sequence' && type.of.kind === 'category',
  },
  anything: { name: 'a value', fits: () => true },
} as const satisfies Record<string, { readonly name: string; readonly fits: (type: ValueType) => boolean }>

/** Whether a type is a number or a vector. */
export function isNumbers({ kind }: ValueType): boolean {
  return kind === 'scalar' || kind === 'vector'
}

/** Whether a type has one name per value: a category, or a bucket with one row number. */
function isName(type: ElementType): boolean {
  return type.kind === 'category' || (type.kind === 'index' && type.hashes === 1)
}

/** The type of a sequence's elements; of another type itself. */
export function elementOf(type: ValueType): ElementType {
  return type.kind === 'sequence' ? type.of : type
}

/** The type with other elements if it is a sequence, else the element's type itself. */
export function withElements(type: ValueType, of: ElementType): ValueType {
  return type.kind === 'sequence' ? { kind: 'sequence', of, max: type.max } : of
}

/** How many numbers a value of the type has; names and sequences have none. */
export function widthOf(type: ValueType): number {
  return type.kind === 'scalar' ? 1 : type.kind === 'vector' ? type.size : 0
}

/** The type of `width` numbers: a scalar or a vector. */
export function numbersOf(width: number): ElementType {
  return width === 1 ? { kind: 'scalar' } : { kind: 'vector', size: width }
}

/** Checks the number of arguments and what each of them is. Null: they fit. */
export function checkArguments(args: readonly ValueType[], ...kinds: readonly Wanted[]): TypeProblem | null {
  if (args.length !== kinds.length) return { problem: `needs ${plural(kinds.length)} and has ${args.length}` }
  return firstMisfit(args, (at) => kinds[at]!)
}

/** Checks that there are at least `least` arguments, all of one kind. Null: they fit. */
export function checkList(args: readonly ValueType[], least: number, kind: Wanted): TypeProblem | null {
  if (args.length < least) return { problem: `needs at least ${plural(least)} and has ${args.length}` }
  return firstMisfit(args, () => kind)
}

function firstMisfit(args: readonly ValueType[], kindAt: (at: number) => Wanted): TypeProblem | null {
  const arg = args.findIndex((type, at) => !wanted[kindAt(at)].fits(type))
  return arg < 0 ? null : { problem: `takes ${wanted[kindAt(arg)].name}, not ${formatType(args[arg]!)}`, arg }
}

function plural(count: number): string {
  return `${count} argument${count === 1 ? '' : 's'}`
}

/**
 * The type of a formula that is computed number by number. All arguments have the same width, or one number, which then
 * stands for each number of a vector.
 */
export function numberByNumber(args: readonly ValueType[]): ValueType | TypeProblem {
  const width = Math.max(...args.map(widthOf))
  const arg = args.findIndex((type) => widthOf(type) !== 1 && widthOf(type) !== width)
  if (arg >= 0) return { problem: `takes vectors of one size, not ${formatType(args[arg]!)} and vector[${width}]`, arg }
  return numbersOf(width)
}
