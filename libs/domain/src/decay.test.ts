import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyCounters, count, counted, countedOverall, decay, halfLifeNames, halfLivesMs, noCounters } from './decay.ts'
import { noonMs, shuffled } from './testing.ts'

const times = fc.array(fc.integer({ min: noonMs, max: noonMs + 10 * 86_400_000 }), { minLength: 1, maxLength: 50 })

function countedAll(atMs: readonly number[]) {
  const counters = noCounters(1)
  for (const at of atMs) count(counters, 0, at)
  return counters
}

describe('decay', () => {
  it('halves in a half-life', () => {
    for (const halfLifeMs of halfLivesMs.slice(0, 3)) expect(decay(halfLifeMs, halfLifeMs)).toBe(0.5)
    expect(decay(1e15, Number.POSITIVE_INFINITY)).toBe(1)
  })

  it('never increases', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (a, b) => {
        expect(decay(a + b, 1_800_000)).toBeLessThanOrEqual(decay(a, 1_800_000))
      }),
    )
  })
})

describe('counters', () => {
  it('equal the sum of the decayed counts', () => {
    fc.assert(
      fc.property(times, fc.nat(1e9), (atMs, laterMs) => {
        const now = Math.max(...atMs) + laterMs
        const counters = countedAll(atMs)
        halfLifeNames.forEach((name, i) => {
          const sum = atMs.reduce((total, at) => total + decay(now - at, halfLivesMs[i] ?? 1), 0)
          expect(Math.abs(counted(counters, 0, name, now) - sum)).toBeLessThanOrEqual(1e-9 * Math.max(1, sum))
        })
      }),
    )
  })

  it('do not depend on the order of counting, except for rounding', () => {
    fc.assert(
      fc.property(shuffled(times), ([atMs, other]) => {
        const [a, b] = [countedAll(atMs), countedAll(other)]
        expect(b.atMs).toEqual(a.atMs)
        a.values.forEach((value, i) => {
          expect(Math.abs((b.values[i] ?? 0) - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, value))
        })
      }),
    )
  })

  it('count totals exactly', () => {
    fc.assert(
      fc.property(times, (atMs) => {
        expect(counted(countedAll(atMs), 0, 'total', noonMs)).toBe(atMs.length)
      }),
    )
  })

  it('do not decay for a request older than their newest count', () => {
    expect(counted(countedAll([noonMs]), 0, '30m', noonMs - 1)).toBe(1)
  })

  it('give the weighted sum of their rows', () => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 5 }), fc.constantFrom(...halfLifeNames), (rows, halfLife) => {
        const counters = noCounters(rows.length)
        rows.forEach((list, row) => list.forEach((at) => count(counters, row, at)))
        const weights = Float64Array.from(rows, (_, row) => row / 3)
        const atMs = noonMs + 11 * 86_400_000
        const each = rows.map((_, row) => counted(counters, row, halfLife, atMs))
        const sum = (of: (value: number, row: number) => number) =>
          each.reduce((total, value, row) => total + of(value, row), 0)
        expect(countedOverall(counters, halfLife, atMs, null)).toBe(sum((value) => value))
        expect(countedOverall(counters, halfLife, atMs, weights)).toBe(sum((value, row) => (weights[row] ?? 0) * value))
      }),
    )
  })

  it('do not change the counters they were copied from', () => {
    const before = noCounters(2)
    const copy = copyCounters(before)
    count(copy, 1, noonMs)
    expect(before).toEqual(noCounters(2))
    expect(counted(copy, 1, '1d', noonMs)).toBe(1)
    expect(counted(copy, 0, '1d', noonMs)).toBe(0)
  })
})
