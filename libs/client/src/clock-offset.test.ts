import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClockOffset } from './clock-offset.ts'

const slackMs = 10_000
/** Exchanges of a client whose clock is off by `errorMs` (positive: behind), from the true times of sending and the duration of each way. */
const exchanges = fc.array(
  fc.record({ sentAtMs: fc.nat(1e9), upMs: fc.nat(slackMs / 2), downMs: fc.nat(slackMs / 2) }),
  { minLength: 1, maxLength: 20 },
)
const exchangeOf = (errorMs: number, { sentAtMs, upMs, downMs }: { sentAtMs: number; upMs: number; downMs: number }) =>
  [sentAtMs - errorMs, sentAtMs + upMs + downMs - errorMs, sentAtMs + upMs] as const

describe('A4 · the offset of a clock', () => {
  it('stays 0 for a correct clock, however slow the network is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e9), fc.nat(1e8), fc.nat(1e8)), { minLength: 1 }), (all) => {
        const offset = createClockOffset(slackMs)
        for (const [sentAtMs, upMs, downMs] of all) {
          expect(offset.learn(...exchangeOf(0, { sentAtMs, upMs, downMs }))).toBe(false)
        }
        expect(offset.ms()).toBe(0)
      }),
    )
  })

  it('is found for a wrong clock with the first answer, to within the slack, and then stays', () => {
    const errors = fc.integer({ min: -1e12, max: 1e12 }).filter((error) => Math.abs(error) > 2 * slackMs)
    fc.assert(
      fc.property(errors, exchanges, (errorMs, all) => {
        const offset = createClockOffset(slackMs)
        const changed = all.map((exchange) => offset.learn(...exchangeOf(errorMs, exchange)))
        expect(changed).toEqual([true, ...all.slice(1).map(() => false)])
        expect(Math.abs(offset.ms() - errorMs)).toBeLessThanOrEqual(slackMs)
      }),
    )
  })

  it('follows a clock that is set to another time', () => {
    const offset = createClockOffset(slackMs)
    const exchange = { sentAtMs: 5_000, upMs: 100, downMs: 100 }
    offset.learn(...exchangeOf(3_600_000, exchange))
    expect(offset.ms()).toBe(3_599_900)
    expect(offset.learn(...exchangeOf(0, exchange))).toBe(true)
    expect(offset.ms()).toBe(100)
    expect(offset.learn(10, 5, 1e9)).toBe(false)
  })
})
