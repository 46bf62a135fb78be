import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { capsRule, cannotBreak } from './caps.ts'
import { classesOf, type Classes } from './classes.ts'
import { placeSoftly } from './place-softly.ts'
import { placeStrictly } from './place-strictly.ts'
import { placementOf, type Placed, type Placement } from './placement.ts'
import { anyClasses, anyPool } from './random-pools.fixture.ts'
import { spacingPenalty } from './spacing.ts'
import { spreadOf } from './spread.ts'

const falling = (count: number) => placementOf(Float32Array.from({ length: count }, (_, i) => count - i))
const classes = (...keys: number[]) => classesOf({ keys: Uint32Array.from(keys), width: 1 })
const runs = { numRuns: 500, seed: 5 }

/** What every step keeps. */
function expectPlacement(before: Placement, after: Placed): void {
  expect(Array.from(after.order).sort((a, b) => a - b)).toEqual(Array.from(before.order).sort((a, b) => a - b))
  let last = Infinity
  for (const candidate of after.order) {
    expect(after.values[candidate]).toBeLessThanOrEqual(last)
    last = after.values[candidate]!
    expect(after.added[candidate]).toBeCloseTo(after.values[candidate]! - before.values[candidate]!, 1)
  }
}

/** The most candidates of one class within a window that ends at a place. */
function worstWindow(order: Uint16Array, { ids, width, count }: Classes, end: number, window: number): number {
  const counts = new Uint16Array(count)
  for (const candidate of order.subarray(Math.max(0, end - window + 1), end + 1))
    for (const id of new Set(ids.subarray(candidate * width, (candidate + 1) * width))) counts[id] = counts[id]! + 1
  counts[0] = 0
  return Math.max(...counts)
}

describe('soft spacing', () => {
  test('weighs a class by 1/d over the places above', () => {
    const kind = classes(1, 2, 1, 1)
    const penalty = spacingPenalty([{ classes: kind, weight: 6, window: 3 }])
    for (const candidate of [0, 1, 2]) penalty.place(candidate)
    expect(penalty.of(3)).toBeCloseTo(6 * (1 + 1 / 3))
    penalty.place(1)
    expect(penalty.of(3)).toBeCloseTo(6 * (1 / 2))
  })

  test('of several classes of a kind counts the nearest, and a class that a candidate has twice counts once', () => {
    const kind = classesOf({ keys: Uint32Array.from([1, 0, 2, 2, 1, 2]), width: 2 })
    const penalty = spacingPenalty([{ classes: kind, weight: 1, window: 2 }])
    penalty.place(0)
    penalty.place(1)
    expect(penalty.of(2)).toBeCloseTo(1)
  })

  test('puts another class between two of one, if that costs less than the penalty', () => {
    const given = falling(4)
    const kind = classes(1, 1, 2, 2)
    const place = (weight: number) =>
      Array.from(
        placeSoftly(given, { places: 4, lookAhead: 3 }, spacingPenalty([{ classes: kind, weight, window: 1 }])).order,
      )
    expect(place(0.5)).toEqual([0, 1, 2, 3])
    expect(place(1.5)).toEqual([0, 2, 1, 3])
  })

  test('loses and doubles no candidate, and moves none further than the look-ahead', () => {
    const cases = anyPool.chain((pool) =>
      fc.tuple(
        fc.constant(pool),
        anyClasses(pool.order.length),
        fc.nat(70),
        fc.nat(12),
        fc.float({ min: 0, max: 10, noNaN: true }),
      ),
    )
    fc.assert(
      fc.property(cases, ([pool, kind, places, lookAhead, weight]) => {
        const penalty = spacingPenalty([{ classes: kind, weight: weight * spreadOf(pool.values), window: 5 }])
        const placed = placeSoftly(pool, { places, lookAhead }, penalty)
        expectPlacement(pool, placed)
        placed.order.forEach((candidate, place) => expect(Math.abs(candidate - place)).toBeLessThanOrEqual(lookAhead))
        expect(Math.max(...placed.added)).toBeLessThanOrEqual(0)
      }),
      runs,
    )
  })

  test('places what its formula says, as a plain search finds it', () => {
    const cases = anyPool.chain((pool) => fc.tuple(fc.constant(pool), anyClasses(pool.order.length), fc.nat(12)))
    fc.assert(
      fc.property(cases, ([pool, kind, lookAhead]) => {
        const weight = spreadOf(pool.values)
        const reach = { places: pool.order.length, lookAhead }
        const { order } = placeSoftly(pool, reach, spacingPenalty([{ classes: kind, weight, window: 4 }]))
        const left = Array.from(pool.order)
        order.forEach((candidate, place) => {
          const worth = (at: number) => {
            const above = order.subarray(Math.max(0, place - 4), place)
            let most = 0
            for (const id of kind.ids.subarray(at * kind.width, (at + 1) * kind.width)) {
              let q = 0
              above.forEach((placed, i) => {
                const has = kind.ids.subarray(placed * kind.width, (placed + 1) * kind.width).includes(id)
                if (id !== 0 && has) q += 1 / (above.length - i)
              })
              most = Math.max(most, q)
            }
            return pool.values[at]! - weight * most
          }
          if (left[0]! + lookAhead > place) {
            const best = Math.max(...left.slice(0, lookAhead + 1).map(worth))
            expect(worth(candidate)).toBeCloseTo(best, 2)
          } else expect(candidate).toBe(left[0])
          left.splice(left.indexOf(candidate), 1)
        })
      }),
      { numRuns: 200, seed: 3 },
    )
  })
})

describe('hard caps', () => {
  test('hold back candidates of a class until the window has room', () => {
    const kind = classes(1, 1, 1, 2, 3, 4, 1)
    const rule = capsRule([{ classes: kind, most: 2, window: 4 }])
    const placed = placeStrictly(falling(7), 7, [rule])
    expect(Array.from(placed.order)).toEqual([0, 1, 3, 4, 2, 5, 6])
    expect(Array.from(placed.relaxed)).toEqual([0, 0, 0, 0, 0, 0, 0])
    // Held back behind candidates of lower utility, it counts no more than they do.
    expect(placed.added[2]).toBe(-2)
  })

  test('are broken only where no remaining candidate fits, and that is reported', () => {
    const placed = placeStrictly(falling(4), 4, [capsRule([{ classes: classes(1, 1, 1, 2), most: 1, window: 3 }])])
    expect(Array.from(placed.order)).toEqual([0, 3, 1, 2])
    expect(Array.from(placed.relaxed)).toEqual([0, 0, 1, 1])
  })

  test('are kept before the rules that follow them', () => {
    const caps = capsRule([{ classes: classes(1, 1, 1, 2), most: 1, window: 9 }])
    const onlyFirstClass = { allows: (candidate: number) => candidate < 3, place: () => {} }
    const placed = placeStrictly(falling(4), 2, [caps, onlyFirstClass])
    expect(Array.from(placed.order)).toEqual([0, 3, 1, 2])
    expect(Array.from(placed.relaxed)).toEqual([0, 1])
  })

  test('lose and double no candidate, and hold in every window that is not reported', () => {
    const cases = anyPool.chain((pool) =>
      fc.tuple(
        fc.constant(pool),
        anyClasses(pool.order.length),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 2, max: 9 }),
        fc.nat(70),
      ),
    )
    fc.assert(
      fc.property(cases, ([pool, kind, most, window, places]) => {
        const capped = [{ classes: kind, most, window }]
        const placed = placeStrictly(pool, places, [capsRule(capped)])
        expectPlacement(pool, placed)
        placed.relaxed.forEach((dropped, place) => {
          if (dropped === 0) {
            // Only a window that was broken further up may still be.
            const isInherited = place > 0 && worstWindow(placed.order, kind, place - 1, window) > most
            if (!isInherited) expect(worstWindow(placed.order, kind, place, window)).toBeLessThanOrEqual(most)
            return
          }
          for (const later of placed.order.subarray(place)) {
            const swapped = placed.order.slice()
            swapped[place] = later
            expect(worstWindow(swapped, kind, place, window)).toBeGreaterThan(most)
          }
        })
        if (cannotBreak(capped)) expect(Array.from(placed.order)).toEqual(Array.from(pool.order))
      }),
      runs,
    )
  })

  test('a class that cannot exceed its cap is known not to', () => {
    expect(cannotBreak([{ classes: classes(1, 2, 1), most: 2, window: 5 }])).toBe(true)
    expect(cannotBreak([{ classes: classes(1, 2, 1, 1), most: 2, window: 5 }])).toBe(false)
    expect(cannotBreak([{ classes: classes(1, 1, 1), most: 3, window: 3 }])).toBe(true)
  })
})

describe('classes', () => {
  test('have numbers from 1 in the order of their first candidate', () => {
    const numbered = classesOf({ keys: Uint32Array.from([7, 0, 4_000_000_000, 7]), width: 1 })
    expect(Array.from(numbered.ids)).toEqual([1, 0, 2, 1])
    expect([numbered.count, numbered.idOf(7), numbered.idOf(8), numbered.idOf(0)]).toEqual([3, 1, 0, 0])
  })

  test('are the same for the same keys only', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 200 }), (keys) => {
        const { ids } = classesOf({ keys: Uint32Array.from(keys), width: 1 })
        keys.forEach((key, i) => keys.forEach((other, j) => expect(ids[i] === ids[j]).toBe(key === other)))
      }),
      { numRuns: 50, seed: 1 },
    )
  })
})

describe('a page below another one', () => {
  const cases = anyPool.chain((pool) =>
    fc.tuple(fc.constant(pool), anyClasses(pool.order.length), fc.nat(40), fc.integer({ min: 1, max: 4 })),
  )
  /** What is left of a pool after its first places, in the order in which it was given. */
  const rest = (given: Placement, placed: Placed, places: number): Placement => {
    const above = new Set(placed.order.subarray(0, places))
    return { order: given.order.filter((candidate) => !above.has(candidate)), values: given.values }
  }

  test('goes on as one page would, if the rules have placed the pins above', () => {
    fc.assert(
      fc.property(cases, ([pool, kind, places, most]) => {
        const rule = () => capsRule([{ classes: kind, most, window: 7 }])
        const whole = placeStrictly(pool, pool.order.length, [rule()])
        const first = placeStrictly(pool, places, [rule()])
        const seeded = rule()
        for (const candidate of first.order.subarray(0, places)) seeded.place(candidate)
        const { order } = restPlaced(rest(pool, first, places), seeded)
        expect([...first.order.subarray(0, places), ...order]).toEqual(Array.from(whole.order))
      }),
      runs,
    )
  })

  test('is spaced from the pins above', () => {
    fc.assert(
      fc.property(cases, ([pool, kind, places]) => {
        const penalty = () => spacingPenalty([{ classes: kind, weight: spreadOf(pool.values), window: 4 }])
        const reach = { places: pool.order.length, lookAhead: 100 }
        const whole = placeSoftly(pool, reach, penalty())
        const seeded = penalty()
        for (const candidate of whole.order.subarray(0, places)) seeded.place(candidate)
        const left = rest(pool, whole, places)
        if (left.order.length === 0) return
        const worth = (candidate: number) => pool.values[candidate]! - seeded.of(candidate)
        const best = Math.max(...Array.from(left.order, worth))
        expect(worth(whole.order[places]!)).toBeCloseTo(best, 3)
      }),
      runs,
    )
  })

  /** Places all candidates of a part of a pool. */
  function restPlaced(part: Placement, rule: ReturnType<typeof capsRule>): { readonly order: number[] } {
    const numbered = placementOf(Float32Array.from(part.order, (candidate) => part.values[candidate]!))
    const renamed = {
      allows: (at: number) => rule.allows(part.order[at]!),
      place: (at: number) => rule.place(part.order[at]!),
    }
    const { order } = placeStrictly(numbered, part.order.length, [renamed])
    return { order: Array.from(order, (at) => part.order[at]!) }
  }
})

test('the spread is the standard deviation, and 1 if all are equal', () => {
  expect(spreadOf(Float32Array.of(1, 3))).toBe(1)
  expect(spreadOf(Float32Array.of(-10, 10, -10, 10))).toBe(10)
  expect(spreadOf(Float32Array.of(5, 5))).toBe(1)
  expect(spreadOf(new Float32Array(0))).toBe(1)
})
