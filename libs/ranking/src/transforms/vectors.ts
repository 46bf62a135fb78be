import type { Column } from '../plan/column.ts'
import type { ValueType } from '../plan/value-type.ts'
import type { TypeProblem } from './definition.ts'
import { asNumbers } from './numbers.ts'
import { checkArguments, widthOf } from './types.ts'

/** The type of a number that compares two vectors of one size, or why they cannot be compared. */
export function comparedVectors(args: readonly ValueType[]): ValueType | TypeProblem {
  const problem = checkArguments(args, 'vector', 'vector')
  if (problem !== null) return problem
  const [left, right] = args.map(widthOf)
  // A vector of one number does not stand for each number of a longer one, as it does in sums.
  if (left !== right) return { problem: `takes vectors of one size, not vector[${left}] and vector[${right}]`, arg: 1 }
  return { kind: 'scalar' }
}

/** The numbers of two columns of vectors of one size; row r begins at r · step, because one row stands for all rows. */
export function pairOfVectors(a: Column | undefined, b: Column | undefined) {
  const { width, values: left, rows: leftRows } = asNumbers(a)
  const { values: right, rows: rightRows } = asNumbers(b)
  return { width, left, leftStep: leftRows === 1 ? 0 : width, right, rightStep: rightRows === 1 ? 0 : width }
}
