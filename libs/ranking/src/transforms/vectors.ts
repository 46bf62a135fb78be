import type { Column } from '../plan/column.ts'
import type { ValueType } from '../plan/value-type.ts'
import type { TypeProblem } from './definition.ts'
import { asNumbers } from './numbers.ts'
import { checkArguments, numberByNumber } from './types.ts'

/** The type of a number that compares two vectors of one size, or why they cannot be compared. */
export function comparedVectors(args: readonly ValueType[]): ValueType | TypeProblem {
  const problem = checkArguments(args, 'vector', 'vector')
  if (problem !== null) return problem
  const type = numberByNumber(args)
  return 'problem' in type ? type : { kind: 'scalar' }
}

/** The numbers of two columns of vectors of one size; row r begins at r · step, because one row stands for all rows. */
export function pairOfVectors(a: Column | undefined, b: Column | undefined) {
  const { width, values: left, rows: leftRows } = asNumbers(a)
  const { values: right, rows: rightRows } = asNumbers(b)
  return { width, left, leftStep: leftRows === 1 ? 0 : width, right, rightStep: rightRows === 1 ? 0 : width }
}
