import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gcra, type RateLimit } from './gcra.ts'

const limits = fc.record({
  ratePerSecond: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 1_000 }),
})
/** Pauses before requests, microseconds, and their costs. */
const requests = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000_000 }), fc.integer({ min: 1, max: 1_000 })), {
  minLength: 1,
  maxLength: 60,
})

function play(limit: RateLimit, asked: readonly (readonly [number, number])[]) {
  let [nowUs, emptyAtUs] = [1_700_000_000_000_000, 0]
  const admitted: { readonly atUs: number; readonly cost: number }[] = []
  for (const [pauseUs, cost] of asked) {
    nowUs += pauseUs
    const verdict = gcra(emptyAtUs, nowUs, cost, limit)
    if (!verdict.admitted) continue
    emptyAtUs = verdict.emptyAtUs
    admitted.push({ atUs: nowUs, cost })
  }
  return { admitted, emptyAtUs, nowUs }
}

describe('a limit of a rate', () => {
  it('never admits more than burst + rate · t in any window', () => {
    fc.assert(
      fc.property(limits, requests, (limit, asked) => {
        const { admitted } = play(limit, asked)
        for (let from = 0; from < admitted.length; from++) {
          let sum = 0
          for (const { atUs, cost } of admitted.slice(from)) {
            sum += cost
            const seconds = (atUs - (admitted[from]?.atUs ?? 0) + 1) / 1_000_000
            expect(sum).toBeLessThanOrEqual(limit.burst + limit.ratePerSecond * seconds + 1e-6)
          }
        }
      }),
    )
  })

  it('admits what it refused once the time that it told has passed, and not two milliseconds before', () => {
    fc.assert(
      fc.property(limits, requests, fc.integer({ min: 1, max: 1_000 }), (limit, asked, cost) => {
        const { emptyAtUs, nowUs } = play(limit, asked)
        const verdict = gcra(emptyAtUs, nowUs, cost, limit)
        if (verdict.admitted) return
        if (verdict.retryAfterMs === null) {
          expect(cost).toBeGreaterThan(limit.burst)
          return
        }
        expect(gcra(emptyAtUs, nowUs + verdict.retryAfterMs * 1_000, cost, limit).admitted).toBe(true)
        if (verdict.retryAfterMs < 2) return
        const before = (verdict.retryAfterMs - 2) * 1_000
        expect(gcra(emptyAtUs, nowUs + before, cost, limit).admitted).toBe(false)
      }),
    )
  })

  it('admits a whole burst after a pause, and no unit more', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        const all = gcra(0, 1_000_000, limit.burst, limit)
        expect(all.admitted).toBe(true)
        expect(gcra(0, 1_000_000, limit.burst + 1, limit)).toEqual({ admitted: false, retryAfterMs: null })
        if (all.admitted) expect(gcra(all.emptyAtUs, 1_000_000, 1, limit).admitted).toBe(false)
      }),
    )
  })
})
