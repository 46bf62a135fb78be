import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classesOf } from './classes.ts'
import { grown, growthOf } from './evidence.ts'
import { applyFactors, fatigueFactors } from './fatigue.ts'
import { drawBeliefs, freshFloorRule, isHeldOutCreator } from './fresh-floor.ts'
import { mixingRule } from './mixing.ts'
import { placeStrictly } from './place-strictly.ts'
import { placementOf } from './placement.ts'

const falling = (count: number) => placementOf(Float32Array.from({ length: count }, (_, i) => count - i))
const flags =
  (...set: readonly number[]) =>
  (size: number) =>
    Uint8Array.from({ length: size }, (_, at) => (set.includes(at) ? 1 : 0))
const noSources = (count: number) => classesOf({ keys: new Uint32Array(count), width: 1 })

describe('fatigue', () => {
  test('lowers a class by its exposure, down to the floor', () => {
    const classes = classesOf({ keys: Uint32Array.from([1, 2, 1, 0]), width: 1 })
    const exposure = Float64Array.of(0, 1, 1_000)
    const factors = fatigueFactors([{ classes, exposure, decay: 0.5 }], 4, 0.2)
    expect(Array.from(factors).map((factor) => Math.round(factor * 100))).toEqual([60, 20, 60, 100])
  })

  test('multiplies what a utility has above the least, so a constant changes nothing and order stays without exposure', () => {
    const factors = Float32Array.of(0.5, 1, 1, 1)
    const plain = applyFactors(placementOf(Float32Array.of(4, 3, 2, 0)), factors)
    const shifted = applyFactors(placementOf(Float32Array.of(-96, -97, -98, -100)), factors)
    expect(Array.from(plain.order)).toEqual([1, 0, 2, 3])
    expect(Array.from(shifted.order)).toEqual([1, 0, 2, 3])
    expect(Array.from(plain.added)).toEqual([-2, 0, 0, 0])
    expect(Array.from(applyFactors(falling(5), new Float32Array(5).fill(1)).order)).toEqual([0, 1, 2, 3, 4])
  })
})

describe('mixing', () => {
  test('gives a group its least share along the page, lifts its best, and says so', () => {
    const shares = [{ members: flags(6, 7, 8)(9), min: 0.5, max: 1 }]
    const rule = mixingRule({ pageSize: 4, shares, sources: noSources(9), maxRun: Infinity })
    const placed = placeStrictly(falling(9), 4, [rule])
    expect(Array.from(placed.order.subarray(0, 4))).toEqual([0, 6, 1, 7])
    expect(placed.values[6]).toBe(8)
    expect(placed.added[6]).toBe(5)
    expect(placed.added[1]).toBe(0)
  })

  test('gives no group more than its share, and no source a longer run', () => {
    const sources = classesOf({ keys: Uint32Array.from([1, 1, 1, 2, 2, 2, 3, 3]), width: 1 })
    const shares = [{ members: flags(0, 1, 2)(8), min: 0, max: 0.5 }]
    const rule = mixingRule({ pageSize: 4, shares, sources, maxRun: 2 })
    expect(Array.from(placeStrictly(falling(8), 8, [rule]).order)).toEqual([0, 1, 3, 4, 2, 5, 6, 7])
  })

  test('keeps shares and runs in random pools whenever it does not report otherwise', () => {
    const cases = fc.integer({ min: 1, max: 40 }).chain((count) =>
      fc.record({
        keys: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: count, maxLength: count }),
        pageSize: fc.integer({ min: 1, max: 12 }),
        min: fc.constantFrom(0, 0.2, 0.5),
        max: fc.constantFrom(0.4, 1),
        maxRun: fc.integer({ min: 1, max: 4 }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ keys, pageSize, min, max, maxRun }) => {
        const sources = classesOf({ keys: Uint32Array.from(keys), width: 1 })
        const members = [1, 2].map((source) => Uint8Array.from(keys, (key) => (key === source ? 1 : 0)))
        const shares = [
          { members: members[0]!, min, max: 1 },
          { members: members[1]!, min: 0, max },
        ]
        const pool = falling(keys.length)
        const placed = placeStrictly(pool, pageSize, [mixingRule({ pageSize, shares, sources, maxRun })])
        expect(Array.from(placed.order).sort((a, b) => a - b)).toEqual(Array.from(pool.order))
        if (placed.relaxed.includes(1) || placed.relaxed.length < pageSize) return
        const page = Array.from(placed.order.subarray(0, pageSize))
        const count = (group: Uint8Array) => page.filter((at) => group[at] === 1).length
        expect(count(members[0]!)).toBeGreaterThanOrEqual(Math.floor(min * pageSize))
        expect(count(members[1]!)).toBeLessThanOrEqual(Math.max(1, Math.ceil(max * pageSize)))
        page.forEach((_, end) => {
          const run = page.slice(Math.max(0, end - maxRun), end + 1).map((at) => keys[at])
          if (run.length > maxRun) expect(new Set(run).size).toBeGreaterThan(1)
        })
      }),
      { numRuns: 500, seed: 6 },
    )
  })
})

describe('the floor for new pins', () => {
  const floor = (draws: readonly number[], isNew: Uint8Array, mayRise = isNew) =>
    freshFloorRule({ isNew, mayRise, pageSize: 4, share: 0.5, draws: Float32Array.from(draws), places: 4 })

  test('lifts the ones with the best draws, evenly along the page', () => {
    const placed = placeStrictly(falling(8), 4, [floor([0, 0, 0, 0, 0, 0.1, 0.9, 0.5], flags(5, 6, 7)(8))])
    expect(Array.from(placed.order.subarray(0, 4))).toEqual([0, 6, 1, 7])
    expect(placed.added[6]).toBeGreaterThan(0)
  })

  test('counts those that come by their utility, and lifts no more than there are', () => {
    const none = new Array<number>(8).fill(0)
    expect(Array.from(placeStrictly(falling(8), 4, [floor(none, flags(0, 1)(8))]).order)).toEqual([...Array(8).keys()])
    const placed = placeStrictly(falling(8), 4, [floor(none, flags(7)(8))])
    expect(Array.from(placed.order.subarray(0, 4))).toEqual([0, 7, 1, 2])
    expect(Array.from(placed.relaxed)).toEqual([0, 0, 0, 0])
  })

  test('lifts none that may not rise', () => {
    const placed = placeStrictly(falling(8), 4, [floor([9, 9, 9, 9, 9, 9, 9, 9], flags(6, 7)(8), flags(6)(8))])
    expect(Array.from(placed.order.subarray(0, 4))).toEqual([0, 6, 1, 2])
  })

  test('what is little known wins now and then, what is known to be bad hardly ever', () => {
    const wins = [0, 0]
    for (let seed = 0; seed < 2_000; seed++) {
      const beliefs = { means: Float32Array.of(0.1, 0.02, 0.02), strengths: Float32Array.of(1_000, 3, 3_000) }
      const [good, unknown, bad] = drawBeliefs(flags(0, 1, 2)(3), beliefs, Uint32Array.of(seed, seed + 1e6, seed + 2e6))
      if (unknown! > good!) wins[0]!++
      if (bad! > good!) wins[1]!++
    }
    expect(wins[0]).toBeGreaterThan(50)
    expect(wins[0]).toBeLessThan(400)
    expect(wins[1]).toBe(0)
  })

  test('a creator is held out for good, about as many as the share says, and others under another salt', () => {
    const creators = Array.from({ length: 10_000 }, (_, at) => at * 7_919)
    const held = creators.filter((creator) => isHeldOutCreator(creator, 0.1, 'a'))
    expect(held.length).toBeGreaterThan(900)
    expect(held.length).toBeLessThan(1_100)
    expect(creators.filter((creator) => isHeldOutCreator(creator, 0.1, 'b'))).not.toEqual(held)
    expect(creators.filter((creator) => isHeldOutCreator(creator, 0.2, 'a'))).toEqual(expect.arrayContaining(held))
  })
})

test('evidence grows from the start to the end', () => {
  expect(grown(growthOf(0, 5), { start: 10, end: 20 })).toBe(10)
  expect(grown(growthOf(5, 5), { start: 10, end: 20 })).toBe(15)
  expect(grown(growthOf(1e9, 5), { start: 10, end: 20 })).toBeCloseTo(20)
})
