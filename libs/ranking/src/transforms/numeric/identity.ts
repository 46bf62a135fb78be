import { elementwise } from '../numbers.ts'
import { noParams } from '../params.ts'
/** Gives a value a second name. */
export const identity = elementwise({
  name: 'identity',
  summary: 'Does not change the number.',
  formula: 'x',
  example: 'feature saves = identity(pin.saves)',
  params: noParams,
  compute(from, to) {
    to.set(from)
  },
})
