import fc from 'fast-check'
import { expect, test } from 'vitest'

import { solveSymmetric } from './solve-symmetric.ts'

const numbers = (length: number): fc.Arbitrary<number[]> =>
  fc.array(
    fc.integer({ min: -100, max: 100 }).map((n) => n / 100),
    { minLength: length, maxLength: length },
  )

test('law: A x = b for A = B Bᵀ + I', () => {
  fc.assert(
    fc.property(numbers(25), numbers(5), (b, wanted) => {
      const a = Float64Array.from({ length: 25 }, (_, at) => {
        const [i, j] = [Math.floor(at / 5), at % 5]
        let sum = i === j ? 1 : 0
        for (let k = 0; k < 5; k++) sum += (b[i * 5 + k] ?? 0) * (b[j * 5 + k] ?? 0)
        return sum
      })
      const x = solveSymmetric(a, wanted)
      for (let i = 0; i < 5; i++) {
        let sum = 0
        for (let j = 0; j < 5; j++) sum += (a[i * 5 + j] ?? 0) * (x[j] ?? 0)
        expect(sum).toBeCloseTo(wanted[i] ?? 0, 6)
      }
    }),
  )
})
