import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createInterests } from './interests.ts'

const unit = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle))

const grouped = (
  vectors: readonly Float32Array[],
  weights: readonly number[],
  maxSpread = 0.5,
): readonly (readonly [medoid: number, weight: number])[] => {
  const interests = createInterests({ maxPins: 20, maxSpread })
  interests.group({ count: vectors.length, vectors, weights: Float64Array.from(weights) })
  return Array.from(
    { length: interests.count },
    (_, i) => [interests.medoids[i] ?? -1, interests.weights[i] ?? 0] as const,
  )
}

describe('interests', () => {
  it('are groups of close pins, the weightiest first, each with the pin in its middle', () => {
    const vectors = [unit(0), unit(0.2), unit(0.1), unit(3), unit(3.1)]
    expect(grouped(vectors, [1, 1, 1, 2, 2])).toEqual([
      [3, 4],
      [2, 3],
    ])
  })

  it('are one for each pin if no spread is allowed, and one in all if any spread is allowed', () => {
    const vectors = [unit(0), unit(1), unit(2)]
    expect(grouped(vectors, [3, 2, 1], 0)).toHaveLength(3)
    expect(grouped(vectors, [3, 2, 1], 10)).toHaveLength(1)
  })

  it('are none of no pins', () => {
    expect(grouped([], [])).toEqual([])
  })

  it('law: the weights of the groups sum to those of the pins, and each medoid is one of them', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 6, noNaN: true }), { maxLength: 20 }), (angles) => {
        const groups = grouped(
          angles.map(unit),
          angles.map((_, i) => i + 1),
        )
        const total = groups.reduce((sum, [, weight]) => sum + weight, 0)
        expect(total).toBe((angles.length * (angles.length + 1)) / 2)
        expect(new Set(groups.map(([medoid]) => medoid)).size).toBe(groups.length)
        for (const [medoid] of groups) expect(medoid).toBeLessThan(angles.length)
      }),
    )
  })
})
