import type { FixedTransform } from '../definition.ts'
import { comparedForEquality, equalityType } from '../equality.ts'
import { noParams, type NoParams } from '../params.ts'

/** The operator `a == b`. */
export const equal: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'equal',
  summary: '1 if two numbers or two names are equal, else 0; missing if one is missing.',
  formula: '1 if a = b, else 0',
  example: 'feature own = pin.creator == user.favourite_creator',
  params: noParams,
  typeOf: equalityType,
  evaluate: (args, _params, output) => comparedForEquality(args, output, [1, 0]),
}
