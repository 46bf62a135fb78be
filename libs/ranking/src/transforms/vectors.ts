import type { ValueType } from '../plan/value-type.ts'
import type { TypeProblem } from './definition.ts'
import { checkArguments, numberByNumber } from './types.ts'

/** The type of a number that compares two vectors of one size, or why they cannot be compared. */
export function comparedVectors(args: readonly ValueType[]): ValueType | TypeProblem {
  const problem = checkArguments(args, 'vector', 'vector')
  if (problem !== null) return problem
  const type = numberByNumber(args)
  return 'problem' in type ? type : { kind: 'scalar' }
}
