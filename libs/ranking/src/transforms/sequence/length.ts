import type { FixedTransform } from '../definition.ts'
import { numbersColumn } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { asSequences } from '../sequences.ts'
import { checkArguments } from '../types.ts'

/** How much is known of a user. */
export const length: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'length',
  summary: 'How many elements a sequence has.',
  formula: '|x|',
  example: 'feature history = log1p(length(user.recent_pins))',
  params: noParams,
  typeOf: (args) => checkArguments(args, 'sequence') ?? { kind: 'scalar' },
  multiplyAdds: () => 1,
  evaluate([x], _params, output) {
    const { rows, offsets } = asSequences(x)
    const to = output.floats(rows)
    for (let row = 0; row < rows; row++) to[row] = offsets[row + 1]! - offsets[row]!
    return numbersColumn(rows, 1, to)
  },
}
