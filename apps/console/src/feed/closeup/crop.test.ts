import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boxBetween, boxInWords, moved, resized } from './crop.ts'

const point = fc.tuple(fc.double({ min: -1, max: 2, noNaN: true }), fc.double({ min: -1, max: 2, noNaN: true }))
const delta = fc.double({ min: -1, max: 1, noNaN: true })

describe('a crop', () => {
  it('is never outside of the picture and never empty', () => {
    fc.assert(
      fc.property(point, point, delta, delta, (a, b, dx, dy) => {
        const box = boxBetween(a, b)
        for (const { x, y, width, height } of [box, moved(box, dx, dy), resized(box, dx, dy)]) {
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
          expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(1 + 1e-9)
          expect(Math.min(width, height)).toBeGreaterThan(0.079)
        }
      }),
    )
  })

  it('does not depend on the direction of the drag', () => {
    expect(boxBetween([0.2, 0.7], [0.6, 0.3])).toEqual(boxBetween([0.6, 0.3], [0.2, 0.7]))
  })

  it('reads as words', () => {
    expect(boxInWords({ x: 0.25, y: 0.1, width: 0.5, height: 0.3 })).toBe(
      'from the left 25 %, from the top 10 %, 50 % wide, 30 % high',
    )
  })
})
