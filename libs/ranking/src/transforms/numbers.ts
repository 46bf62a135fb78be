import type { Column } from '../plan/column.ts'
import type { Description, FixedTransform, Output } from './definition.ts'
import { noParams, type NoParams } from './params.ts'
import { checkArguments, checkList, numberByNumber } from './types.ts'

/** A column of numbers. */
export type Numbers = Extract<Column, { readonly kind: 'numbers' }>

/** The values of a column of numbers. */
export type Floats = Float32Array | Float64Array

/** A column as numbers. Throws a TypeError if it is not: the types of a plan exclude that. */
export function asNumbers(column: Column | undefined): Numbers {
  if (column?.kind !== 'numbers') throw new TypeError(`expected numbers, got ${column?.kind ?? 'no column'}`)
  return column
}

/** A column of numbers. */
export function numbersColumn(rows: number, width: number, values: Floats): Numbers {
  return { kind: 'numbers', rows, width, values }
}

/**
 * The values of a column for every row of the output and `width` numbers a row. One row stands for all rows, one number for
 * all numbers of a row. Copies only if the column has another shape.
 */
export function spread(column: Column | undefined, width: number, output: Output): Floats {
  const numbers = asNumbers(column)
  const { rows } = output
  if (numbers.rows === rows && numbers.width === width) return numbers.values
  const { values } = numbers
  const to = values instanceof Float64Array ? output.doubles(rows * width) : output.floats(rows * width)
  if (numbers.rows === 1 && numbers.width === 1) return to.fill(values[0]!)
  const rowStep = numbers.rows === 1 ? 0 : numbers.width
  const step = numbers.width === 1 ? 0 : 1
  for (let row = 0; row < rows; row++)
    for (let at = 0; at < width; at++) to[row * width + at] = values[row * rowStep + at * step]!
  return to
}

/** A transform of one number, of each number of a vector, or of each element of a sequence of these. */
export function elementwise<Params>(
  described: Omit<Description<Params>, 'typeOf'> & {
    /** Reads `from`, writes `to`, which has the same length. */
    compute(from: Floats, to: Float32Array, params: Params): void
  },
): FixedTransform<Params> {
  const { compute, ...description } = described
  return {
    ...description,
    gradient: 'fixed',
    typeOf: (args) => checkArguments(args, 'numbersOrSequence') ?? args[0]!,
    evaluate(args, params, output) {
      const { numbers, wrap } = elementNumbers(args[0]!)
      const to = output.floats(numbers.values.length)
      compute(numbers.values, to, params)
      return wrap(numbersColumn(numbers.rows, numbers.width, to))
    },
  }
}

/** The numbers of a column or of its elements, and what puts a column of others in their place. */
function elementNumbers(column: Column): { readonly numbers: Numbers; wrap(numbers: Numbers): Column } {
  if (column.kind !== 'sequences') return { numbers: asNumbers(column), wrap: (numbers) => numbers }
  const { rows, offsets, elements } = column
  return {
    numbers: asNumbers(elements),
    wrap: (numbers) => ({ kind: 'sequences', rows, offsets, elements: numbers }),
  }
}

/** The elements of a sequence, or the column itself. */
export function elementsOf(column: Column): Exclude<Column, { readonly kind: 'sequences' }> {
  return column.kind === 'sequences' ? column.elements : column
}

/** A formula of two numbers; vectors are combined number by number. */
export function binary(
  described: Omit<Description<NoParams>, 'typeOf' | 'params'> & {
    /** Reads `a` and `b`, writes `to`; all have the same length. */
    compute(a: Floats, b: Floats, to: Float32Array): void
  },
): FixedTransform<NoParams> {
  const { compute, ...description } = described
  return {
    ...description,
    gradient: 'fixed',
    params: noParams,
    typeOf: (args) => checkArguments(args, 'numbers', 'numbers') ?? numberByNumber(args),
    evaluate([a, b], _params, output) {
      const width = Math.max(asNumbers(a).width, asNumbers(b).width)
      const to = output.floats(output.rows * width)
      compute(spread(a, width, output), spread(b, width, output), to)
      return numbersColumn(output.rows, width, to)
    },
  }
}

/** A formula of two or more numbers that is applied to the first two, then to the result and the third, and so on. */
export function folded(
  described: Omit<Description<NoParams>, 'typeOf' | 'params'> & {
    /** Combines `b` into `to`, which holds the result so far. */
    compute(b: Floats, to: Float32Array): void
  },
): FixedTransform<NoParams> {
  const { compute, ...description } = described
  return {
    ...description,
    params: noParams,
    gradient: 'fixed',
    typeOf: (args) => checkList(args, 2, 'numbers') ?? numberByNumber(args),
    evaluate(args, _params, output) {
      let width = 1
      for (const arg of args) width = Math.max(width, asNumbers(arg).width)
      const to = output.floats(output.rows * width)
      to.set(spread(args[0], width, output))
      for (let at = 1; at < args.length; at++) compute(spread(args[at], width, output), to)
      return numbersColumn(output.rows, width, to)
    },
  }
}
