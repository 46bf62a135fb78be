import type { Column } from '../../plan/column.ts'
import type { FixedTransform } from '../definition.ts'
import { numbersColumn } from '../numbers.ts'
import { noParams, type NoParams } from '../params.ts'
import { checkArguments } from '../types.ts'

/** Lets a model learn from the absence of a value. */
export const exists: FixedTransform<NoParams> = {
  gradient: 'fixed',
  name: 'exists',
  summary:
    '1 if the value is there, 0 if it is missing: a vector if each number is there, a sequence if it has an element.',
  formula: '0 if x is missing, else 1',
  example: 'feature has_creator = exists(pin.creator)',
  params: noParams,
  typeOf: (args) => checkArguments(args, 'anything') ?? { kind: 'scalar' },
  evaluate([x], _params, output) {
    const to = output.floats(x!.rows).fill(1)
    markMissing(x!, to)
    return numbersColumn(x!.rows, 1, to)
  },
}

function markMissing(column: Column, to: Float32Array): void {
  switch (column.kind) {
    case 'numbers':
      for (let at = 0; at < column.values.length; at++)
        if (Number.isNaN(column.values[at])) to[Math.floor(at / column.width)] = 0
      return
    case 'categories':
      for (let row = 0; row < to.length; row++) if (column.codes[row]! < 0) to[row] = 0
      return
    case 'indices':
      for (let row = 0; row < to.length; row++) if (column.values[row * column.hashes]! < 0) to[row] = 0
      return
    case 'sequences':
      for (let row = 0; row < to.length; row++) if (column.offsets[row] === column.offsets[row + 1]) to[row] = 0
  }
}
