import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockOffsetMs } from './clock-offset.ts'

const slackMs = 10_000
/** Exchanges of a client whose clock is off by `errorMs` (positive: behind), from the true times of sending and the duration of each way. */
const exchanges = fc.array(
  fc.record({ sentAtMs: fc.nat(1e9), upMs: fc.nat(slackMs / 2), downMs: fc.nat(slackMs / 2) }),
  { minLength: 1, maxLength: 20 },
)
const exchangeOf = (errorMs: number, { sentAtMs, upMs, downMs }: { sentAtMs: number; upMs: number; downMs: number }) =>
  [sentAtMs - errorMs, sentAtMs + upMs + downMs - errorMs, sentAtMs + upMs] as const

/** The offset after each exchange. */
function offsetsAfter(all: readonly (readonly [number, number, number])[], firstMs = 0): readonly number[] {
  let ms = firstMs
  return all.map((exchange) => (ms = clockOffsetMs(ms, slackMs, exchange)))
}

describe('A4 · the offset of a clock', () => {
  it('stays 0 for a correct clock, however slow the network is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e9), fc.nat(1e8), fc.nat(1e8)), { minLength: 1 }), (all) => {
        const offsets = offsetsAfter(all.map(([sentAtMs, upMs, downMs]) => exchangeOf(0, { sentAtMs, upMs, downMs })))
        expect(new Set(offsets)).toEqual(new Set([0]))
      }),
    )
  })

  it('is found for a wrong clock with the first answer, to within the slack, and then stays', () => {
    const errors = fc.integer({ min: -1e12, max: 1e12 }).filter((error) => Math.abs(error) > 2 * slackMs)
    fc.assert(
      fc.property(errors, exchanges, (errorMs, all) => {
        const offsets = offsetsAfter(all.map((exchange) => exchangeOf(errorMs, exchange)))
        expect(new Set(offsets).size).toBe(1)
        expect(Math.abs(offsets[0]! - errorMs)).toBeLessThanOrEqual(slackMs)
      }),
    )
  })

  it('follows a clock that is set to another time', () => {
    const exchange = { sentAtMs: 5_000, upMs: 100, downMs: 100 }
    const setBackInBetween = [10, 5, 1e9] as const
    expect(offsetsAfter([exchangeOf(3_600_000, exchange), exchangeOf(0, exchange), setBackInBetween])).toEqual([
      3_599_900, 100, 100,
    ])
  })
})
