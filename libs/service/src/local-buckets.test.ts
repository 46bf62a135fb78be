import { gcra, type RateLimit } from '@freshet/domain/gcra'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLocalBuckets } from './local-buckets.ts'

const limit: RateLimit = { ratePerSecond: 1, burst: 3 }
const one = (bucket: string, cost = 1, kind = 'user') => ({ kind, bucket, cost, limit })

describe('buckets in this process', () => {
  it('admit what one bucket of GCRA each would admit, as long as none is forgotten', () => {
    const asked = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 4 }), fc.nat({ max: 3_000_000 })),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(asked, (steps) => {
        const buckets = createLocalBuckets(6)
        const emptyAt = new Map<string, number>()
        let nowUs = 1_000_000
        for (const [bucket, cost, pauseUs] of steps) {
          nowUs += pauseUs
          const verdict = gcra(emptyAt.get(bucket) ?? 0, nowUs, cost, limit)
          if (verdict.admitted) emptyAt.set(bucket, verdict.emptyAtUs)
          const wanted = verdict.admitted ? null : { at: 0, retryAfterMs: verdict.retryAfterMs }
          expect(buckets.charge([one(bucket, cost)], nowUs)).toEqual(wanted)
        }
      }),
    )
  })

  it('charge all buckets of a request or none, and name the one with the longest wait', () => {
    const buckets = createLocalBuckets(100)
    expect(buckets.charge([one('a', 3), one('b', 1)], 0)).toBeNull()
    expect(buckets.charge([one('b', 1), one('a', 2), one('c', 1)], 0)).toEqual({ at: 1, retryAfterMs: 2_000 })
    expect(buckets.charge([one('a', 2), one('b', 4)], 0)).toEqual({ at: 1, retryAfterMs: null })
    expect(buckets.charge([one('b', 2), one('c', 3)], 0)).toBeNull()
  })

  it('are two for one name of two kinds', () => {
    const buckets = createLocalBuckets(100)
    expect(buckets.charge([one('a', 3, 'user'), one('a', 3, 'address')], 0)).toBeNull()
    expect(buckets.charge([one('a', 1, 'address')], 0)).toEqual({ at: 0, retryAfterMs: 1_000 })
  })

  it('are not forgotten before half of the bound was used later, however old they are', () => {
    const buckets = createLocalBuckets(100)
    expect(buckets.charge([one('old', 3)], 0)).toBeNull()
    for (let i = 0; i < 1_000; i++) {
      expect(buckets.charge([one(`new ${i}`)], 0)).toBeNull()
      if (i % 50 === 48) expect(buckets.charge([one('old', 1)], 0)).toEqual({ at: 0, retryAfterMs: 1_000 })
      // A refusal uses no bucket, so the old one is used as a success would use it.
      if (i % 50 === 48) buckets.note([one('old', 0)], 0)
    }
    for (let i = 0; i < 100; i++) buckets.charge([one(`more ${i}`)], 0)
    expect(buckets.charge([one('old', 3)], 0)).toBeNull()
  })

  it('remember a bucket that is used only together with others, in whichever half it is', () => {
    const buckets = createLocalBuckets(10)
    for (let i = 0; i < 50; i++) {
      const refusal = buckets.charge([one(`user ${i}`, 1), one('key', 1, 'key')], 0)
      expect(refusal === null).toBe(i < 3)
    }
  })
})
