import type { Column } from '../plan/column.ts'
import type { ValueType } from '../plan/value-type.ts'
import { asNames, placedHashes, type Names } from './categories.ts'
import type { Output, TypeProblem } from './definition.ts'
import { numbersColumn, spread } from './numbers.ts'
import { checkArguments } from './types.ts'

/** The type of a comparison of two numbers or of two names. */
export function equalityType(args: readonly ValueType[]): ValueType | TypeProblem {
  const kind = args.some((type) => type.kind === 'category') ? 'category' : 'scalar'
  return checkArguments(args, kind, kind) ?? { kind: 'scalar' }
}

/** `whenEqual` where both are equal, `whenNot` where they differ, missing where one is missing. */
export function comparedForEquality(
  [a, b]: readonly Column[],
  output: Output,
  [whenEqual, whenNot]: readonly [number, number],
): Column {
  const to = output.floats(output.rows)
  if (a?.kind !== 'numbers') compareNames([asNames(a), asNames(b)], output, to, [whenEqual, whenNot])
  else {
    const left = spread(a, 1, output)
    const right = spread(b, 1, output)
    for (let row = 0; row < to.length; row++) {
      const x = left[row]!
      const y = right[row]!
      to[row] = Number.isNaN(x + y) ? NaN : x === y ? whenEqual : whenNot
    }
  }
  return numbersColumn(output.rows, 1, to)
}

/** Compares by 64 bits of hashes, because two columns have different dictionaries. */
function compareNames(
  [left, right]: readonly [Names, Names],
  output: Output,
  to: Float32Array,
  [whenEqual, whenNot]: readonly [number, number],
): void {
  const { pairs: leftHashes, places: leftPlaces } = placedHashes(left, output)
  const { pairs: rightHashes, places: rightPlaces } = placedHashes(right, output)
  const leftStep = left.rows === 1 ? 0 : 1
  const rightStep = right.rows === 1 ? 0 : 1
  for (let row = 0; row < to.length; row++) {
    const x = leftPlaces[row * leftStep]!
    const y = rightPlaces[row * rightStep]!
    if (x < 0 || y < 0) to[row] = NaN
    else {
      const isEqual = leftHashes[2 * x] === rightHashes[2 * y] && leftHashes[2 * x + 1] === rightHashes[2 * y + 1]
      to[row] = isEqual ? whenEqual : whenNot
    }
  }
}
