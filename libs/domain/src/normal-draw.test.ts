import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mix32 } from './hash.ts'
import { normalDraw } from './normal-draw.ts'

describe('a normal draw', () => {
  it('is finite, and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (seed) => {
        expect(Number.isFinite(normalDraw(seed))).toBe(true)
        expect(normalDraw(seed)).toBe(normalDraw(seed))
      }),
    )
  })

  it('has the moments of the standard normal distribution, also for seeds in a row', () => {
    for (const seedOf of [(n: number) => n, mix32]) {
      const draws = Array.from({ length: 20_000 }, (_, n) => normalDraw(seedOf(n)))
      const mean = (of: (x: number) => number): number => draws.reduce((sum, x) => sum + of(x), 0) / draws.length
      expect(Math.abs(mean((x) => x))).toBeLessThan(0.03)
      expect(mean((x) => x * x)).toBeCloseTo(1, 1)
      expect(mean((x) => (Math.abs(x) < 1.96 ? 1 : 0))).toBeCloseTo(0.95, 2)
    }
  })
})
