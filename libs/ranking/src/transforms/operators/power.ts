import { binary } from '../numbers.ts'

/** The operator `a ^ b`. */
export const power = binary({
  name: 'power',
  summary: 'Power; missing where it is not a finite 32-bit float.',
  formula: 'a^b',
  example: 'feature popular = pin.saves ^ 0.75',
  compute(a, b, to) {
    for (let at = 0; at < to.length; at++) {
      const power = Math.fround(a[at]! ** b[at]!)
      to[at] = Number.isFinite(power) ? power : NaN
    }
  },
})
