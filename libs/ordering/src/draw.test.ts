import { mulberry32 } from '@freshet/domain/mulberry32'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawBeta } from './beta.ts'
import { capsRule } from './caps.ts'
import { classesOf } from './classes.ts'
import { placementOf } from './placement.ts'
import { drawOrder } from './plackett-luce.ts'
import { positionPropensities } from './position-propensities.ts'

const anything = { allows: () => true, place: () => {} }
const poolOf = (...values: number[]) => placementOf(Float32Array.from(values))

/** Every order of the first `places`, with its probability by the formula of Plackett and Luce. */
function enumerate(worths: readonly number[], places: number): { readonly order: number[]; readonly p: number }[] {
  const go = (above: number[], p: number): { order: number[]; p: number }[] => {
    if (above.length === places) return [{ order: above, p }]
    const left = worths.map((_, at) => at).filter((at) => !above.includes(at))
    const sum = left.reduce((total, at) => total + Math.exp(worths[at]!), 0)
    return left.flatMap((at) => go([...above, at], (p * Math.exp(worths[at]!)) / sum))
  }
  return go([], 1)
}

describe('a drawn order', () => {
  test('has the probabilities of Plackett and Luce', () => {
    const worths = [2, 1.5, 1, 0, -1]
    const random = mulberry32(11)
    const runs = 40_000
    const seen = new Map<string, number>()
    for (let n = 0; n < runs; n++) {
      const { order, propensities } = drawOrder(poolOf(...worths), {
        places: 2,
        temperature: 1,
        rule: anything,
        random,
      })
      const key = `${order[0]} ${order[1]}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
      const exact = enumerate(worths, 2).find((slate) => slate.order.join(' ') === key)!
      if (n < 100) expect(propensities[0]! * propensities[1]!).toBeCloseTo(exact.p, 6)
    }
    for (const { order, p } of enumerate(worths, 2)) {
      const share = (seen.get(order.join(' ')) ?? 0) / runs
      expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / runs))
    }
  })

  test('keeps the rule, and its propensities are those among what the rule allows', () => {
    const classes = classesOf({ keys: Uint32Array.from([1, 1, 1, 2]), width: 1 })
    const random = mulberry32(5)
    for (let n = 0; n < 200; n++) {
      const rule = capsRule([{ classes, most: 1, window: 4 }])
      const { order, propensities } = drawOrder(poolOf(3, 2, 1, 0), { places: 3, temperature: 1, rule, random })
      expect(order.subarray(0, 2)).toContain(3)
      if (order[0] === 3) expect(propensities[0]).toBeCloseTo(1 / (1 + Math.E + Math.E ** 2 + Math.E ** 3))
      else expect(propensities[1]).toBe(1)
      // No candidate meets the rule at the third place, so it may be any of the two.
      const [one, other] = Array.from(order.subarray(2)).map((at) => Math.exp(3 - at))
      expect(propensities[2]).toBeCloseTo(one! / (one! + other!))
    }
  })

  test('loses and doubles no candidate, whatever the utilities and the temperature', () => {
    const values = fc.array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 40 })
    fc.assert(
      fc.property(values, fc.constantFrom(1e-3, 1, 1e6), fc.nat(50), fc.nat(), (given, temperature, places, seed) => {
        const pool = placementOf(Float32Array.from(given).sort((a, b) => b - a))
        const random = mulberry32(seed)
        const drawn = drawOrder(pool, { places, temperature, rule: anything, random })
        expect(Array.from(drawn.order).sort((a, b) => a - b)).toEqual(Array.from(pool.order))
        for (const propensity of drawn.propensities) {
          expect(propensity).toBeGreaterThan(0)
          expect(propensity).toBeLessThanOrEqual(1)
        }
        drawn.order.forEach((candidate, at) => expect(drawn.values[candidate]).toBe(pool.values[at]))
      }),
      { numRuns: 500, seed: 2 },
    )
  })

  test('at a low temperature is the order of utility', () => {
    const { order } = drawOrder(poolOf(4, 3, 2, 1), {
      places: 4,
      temperature: 0.01,
      rule: anything,
      random: mulberry32(1),
    })
    expect(Array.from(order)).toEqual([0, 1, 2, 3])
  })
})

describe('the probability of a pin at its place', () => {
  test('is what all orders together say', () => {
    const worths = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(worths, fc.integer({ min: 1, max: 6 }), (given, wanted) => {
        const places = Math.min(wanted, given.length)
        const picks = Uint16Array.from({ length: places }, (_, at) => given.length - 1 - at)
        const exact = Array.from(picks, (pick, place) =>
          enumerate(given, places).reduce((sum, { order, p }) => sum + (order[place] === pick ? p : 0), 0),
        )
        const found = positionPropensities(Float64Array.from(given), picks)
        exact.forEach((p, place) => expect(found[place]).toBeCloseTo(p, 7))
      }),
      { numRuns: 100, seed: 4 },
    )
  })

  test('adds up to 1 over the candidates of a place, also with many of very different utility', () => {
    const worths = Float64Array.from({ length: 60 }, (_, at) => -at / 3)
    for (const place of [0, 5, 11]) {
      let sum = 0
      for (let pick = 0; pick < 60; pick++) {
        const others = Array.from({ length: 12 }, (_, at) => (at < place ? at : at + 1))
        const picks = Uint16Array.from(others, (other) => (other === pick ? 59 : other))
        picks[place] = pick
        if (new Set(picks).size < picks.length) picks[picks.indexOf(pick)] = 58
        picks[place] = pick
        sum += positionPropensities(worths, picks)[place]!
      }
      expect(sum).toBeCloseTo(1, 6)
    }
  })
})

test('draws from a Beta distribution have its mean and variance', () => {
  for (const [a, b] of [
    [0.2, 3],
    [1, 1],
    [5, 2],
  ] as const) {
    const random = mulberry32(3)
    const draws = Array.from({ length: 20_000 }, () => drawBeta(a, b, random))
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length
    expect(mean).toBeCloseTo(a / (a + b), 2)
    expect(variance).toBeCloseTo((a * b) / ((a + b) ** 2 * (a + b + 1)), 2)
  }
  expect(drawBeta(1e-9, 1e-9, mulberry32(1))).toSatisfy((draw: number) => draw === 0 || draw === 1)
})
