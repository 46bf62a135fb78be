import { anonymousCaller, openCaller, type Caller } from '@freshet/access/caller'
import { gcra, type RateCharge, type SharedBuckets } from '@freshet/domain/gcra'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMetrics } from './metrics.ts'
import { createRateLimits, type CallSource, type RateLimits } from './rate-limits.ts'
import { limitConfigOf, limitSettings } from './rate-settings.ts'
import type { Report } from './reporting.ts'

const settings = limitSettings('events', { key: [0, 100], user: [0, 100], address: [0, 100] })
const key: Caller = { kind: 'write', keyId: 'k1', userId: null }

function aClock(startMs = 1_700_000_000_000) {
  let nowMs = startMs
  return {
    now: () => nowMs,
    sleep: () => Promise.resolve(),
    advance(ms: number) {
      nowMs += ms
    },
  }
}

/** Shared buckets in memory, by a clock of their own. */
function someBuckets(clock: { now(): number }) {
  const emptyAt = new Map<string, number>()
  const asked: (readonly RateCharge[])[] = []
  let isAway = false
  const buckets: SharedBuckets = {
    async charge(charges) {
      asked.push(charges)
      if (isAway) throw new Error('away')
      const verdicts = charges.map(({ bucket, cost, limit }) =>
        gcra(emptyAt.get(bucket) ?? 0, clock.now() * 1_000, cost, limit),
      )
      const at = verdicts.findIndex(({ admitted }) => !admitted)
      const refusing = verdicts[at]
      if (refusing?.admitted === false) return { at, retryAfterMs: refusing.retryAfterMs }
      charges.forEach(({ bucket }, index) => {
        const verdict = verdicts[index]
        if (verdict?.admitted === true) emptyAt.set(bucket, verdict.emptyAtUs)
      })
      return null
    },
    secret: async () => new Uint8Array(32).fill(7),
  }
  return { buckets, asked, setAway: (away: boolean) => (isAway = away) }
}

function someLimits(
  given: Partial<z.input<z.ZodObject<typeof settings>>>,
  { clock = aClock(), shared = null as SharedBuckets | null } = {},
) {
  const reported: unknown[] = []
  const report: Report = (error) => reported.push(error)
  const metrics = createMetrics()
  const config = limitConfigOf(z.object(settings).parse(given))
  const limits = createRateLimits({
    name: 'test',
    config,
    clock,
    shared,
    ownSecret: new Uint8Array(32),
    metrics,
    report,
  })
  return { limits, clock, metrics, reported }
}

const from = (parts: Partial<CallSource> = {}): CallSource => ({
  caller: anonymousCaller,
  peer: '192.0.2.1',
  forwarded: '',
  ...parts,
})

/** How many of `count` single events are admitted now. */
async function admitted(limits: RateLimits, count: number, source = from(), user?: string): Promise<number> {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const refused = await limits.take(source, 1, user === undefined ? undefined : new Map([[user, 1]]))
    if (refused === null) sum++
  }
  return sum
}

describe('rate limits', () => {
  it('count by key, user and address, each on its own', async () => {
    const byAddress = someLimits({ addressRate: 1, addressBurst: 5 }).limits
    expect(await admitted(byAddress, 10)).toBe(5)
    expect(await admitted(byAddress, 10, from({ peer: '192.0.2.2' }))).toBe(5)
    expect(await admitted(byAddress, 10, from({ peer: '2001:db8::1' }))).toBe(5)
    expect(await admitted(byAddress, 10, from({ peer: '2001:db8::2' }))).toBe(0)
    const byUser = someLimits({ userRate: 1, userBurst: 3 }).limits
    expect(await admitted(byUser, 10, from(), 'ada')).toBe(3)
    expect(await admitted(byUser, 10, from({ peer: '192.0.2.9' }), 'ada')).toBe(0)
    expect(await admitted(byUser, 10, from(), 'bob')).toBe(3)
    const byKey = someLimits({ keyRate: 1, keyBurst: 4 }).limits
    expect(await admitted(byKey, 10, from({ caller: key }))).toBe(4)
    expect(await admitted(byKey, 10, from({ caller: { ...key, keyId: 'k2' } }))).toBe(4)
  })

  it('say which limit refuses, after how long the same request is admitted, and count it', async () => {
    const { limits, clock, metrics } = someLimits({ addressRate: 10, addressBurst: 5 })
    await limits.take(from(), 5)
    expect(await limits.take(from(), 2)).toEqual({ by: 'address', retryAfterMs: 200 })
    clock.advance(199)
    expect(await limits.take(from(), 2)).toEqual({ by: 'address', retryAfterMs: 1 })
    clock.advance(1)
    expect(await limits.take(from(), 2)).toBeNull()
    expect(await metrics.text()).toContain('freshet_rate_limited_total{by="address"} 2')
  })

  it('refuse for ever what is more than a burst', async () => {
    const { limits } = someLimits({ addressRate: 10, addressBurst: 5 })
    expect(await limits.take(from(), 6)).toEqual({ by: 'address', retryAfterMs: null })
    expect(await limits.take(from(), 5)).toBeNull()
  })

  it('charge nothing for a request that one of them refuses', async () => {
    const { limits } = someLimits({ addressRate: 1, addressBurst: 10, userRate: 1, userBurst: 1 })
    expect(await admitted(limits, 5, from(), 'ada')).toBe(1)
    expect(await admitted(limits, 20)).toBe(9)
  })

  it('let our own servers pass by user and address, but not by key', async () => {
    const { limits } = someLimits({
      addressRate: 1,
      userRate: 1,
      addressBurst: 1,
      userBurst: 1,
      keyRate: 1,
      keyBurst: 7,
    })
    expect(await admitted(limits, 20, from({ caller: { ...key, kind: 'server' } }), 'ada')).toBe(7)
  })

  it('do not count open callers of the same machine, but those of others', async () => {
    const { limits } = someLimits({ addressRate: 1, addressBurst: 3 })
    expect(await admitted(limits, 10, from({ caller: openCaller, peer: '::ffff:127.0.0.1' }))).toBe(10)
    expect(await admitted(limits, 10, from({ caller: openCaller }))).toBe(3)
  })

  it('never believe a forwarded address of a peer that is no trusted proxy', async () => {
    const { limits } = someLimits({ addressRate: 1, addressBurst: 3, trustedProxies: ['10.0.0.0/8'] })
    let sum = 0
    for (let i = 0; i < 20; i++) sum += await admitted(limits, 1, from({ forwarded: `198.51.100.${i}` }))
    expect(sum).toBe(3)
    const proxied = (n: number) => from({ peer: '10.0.0.1', forwarded: `1.1.1.1, 198.51.100.${n}` })
    expect([await admitted(limits, 5, proxied(1)), await admitted(limits, 5, proxied(2))]).toEqual([3, 3])
  })

  it('report once an hour that a load balancer may be missing among the trusted proxies', async () => {
    const { limits, clock, reported } = someLimits({ addressRate: 1, trustedProxies: ['10.1.0.0/16'] })
    const forwarded = '198.51.100.1'
    for (const peer of ['192.0.2.1', '10.1.0.1', '2001:db8::1']) await limits.take(from({ peer, forwarded }), 1)
    await limits.take(from({ peer: '10.2.0.1' }), 1)
    expect(reported).toEqual([])
    for (const peer of ['10.2.0.1', '::ffff:10.2.0.1', 'fd00::1']) await limits.take(from({ peer, forwarded }), 1)
    expect(reported.map(String)).toEqual([expect.stringContaining('FRESHET_LIMITS_TRUSTED_PROXIES')])
    expect(String(reported)).not.toMatch(/10\.2|198\.51/)
    clock.advance(3_600_000)
    await limits.take(from({ peer: '192.168.0.1', forwarded }), 1)
    expect(reported).toHaveLength(2)
  })

  it('count a user also behind made-up users with more events, and all those behind them together', async () => {
    const { limits } = someLimits({ userRate: 1, userBurst: 20 })
    let decoy = 0
    /** A batch with `units` of some users behind eight new ones that have more. */
    const take = (source: CallSource, ...users: readonly (readonly [string, number])[]) => {
      const decoys = Array.from({ length: 8 }, () => [`decoy ${decoy++}`, 9] as const)
      return limits.take(source, 1, new Map([...users, ...decoys]))
    }
    let sum = 0
    for (let i = 0; i < 20; i++) if ((await take(from(), ['ada', 5])) === null) sum += 5
    expect(sum).toBe(20)
    expect(await take(from(), ['bob', 1], ['eve', 1])).toEqual({ by: 'users', retryAfterMs: 2_000 })
    expect(await take(from({ peer: '192.0.2.2' }), ['bob', 1])).toBeNull()
    expect(await admitted(limits, 1, from(), 'bob')).toBe(1)
  })

  it('keep a bounded number of counts, whoever sends', async () => {
    const { limits } = someLimits({ addressRate: 0.001, addressBurst: 1, maxBuckets: 1_000 })
    for (let i = 0; i < 3_000; i++) await limits.take(from({ peer: `10.0.${i >> 8}.${i & 255}` }), 1)
    // The last thousand are known, and those before are forgotten.
    expect(await admitted(limits, 1, from({ peer: `10.0.${2_999 >> 8}.${2_999 & 255}` }))).toBe(0)
    expect(await admitted(limits, 1, from({ peer: '10.0.0.0' }))).toBe(1)
  })

  it('are off without a rate', () => {
    expect(someLimits({}).limits.take(from(), 1_000_000)).toBeNull()
  })
})

describe('shared rate limits', () => {
  it('of two replicas admit no more than burst + rate · t together, in any order of requests', async () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: 8 })), {
      minLength: 1,
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 8, max: 40 }),
        async (asked, rate, burst) => {
          const clock = aClock()
          const { buckets } = someBuckets(clock)
          const given = { addressRate: rate, addressBurst: burst }
          const replicas = [1, 2].map(() => someLimits(given, { clock, shared: buckets }).limits)
          const startMs = clock.now()
          let sum = 0
          for (const [first, pauseMs, cost] of asked) {
            clock.advance(pauseMs)
            if ((await replicas[first ? 0 : 1]?.take(from(), cost)) === null) sum += cost
            expect(sum).toBeLessThanOrEqual(burst + (rate * (clock.now() - startMs)) / 1_000 + 1e-6)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('do not ask the shared buckets about a request that was told to wait', async () => {
    const clock = aClock()
    const { buckets, asked } = someBuckets(clock)
    const { limits } = someLimits({ addressRate: 1, addressBurst: 1 }, { clock, shared: buckets })
    expect(await admitted(limits, 50)).toBe(1)
    expect(asked).toHaveLength(2)
    clock.advance(1_000)
    expect(await admitted(limits, 50)).toBe(1)
  })

  it('are kept by each replica alone while the shared buckets are away: nothing is refused for that, and nothing is unbounded', async () => {
    const clock = aClock()
    const { buckets, asked, setAway } = someBuckets(clock)
    const { limits, reported } = someLimits({ addressRate: 1, addressBurst: 10 }, { clock, shared: buckets })
    expect(await admitted(limits, 4)).toBe(4)
    setAway(true)
    const askedBefore = asked.length
    expect(await admitted(limits, 20)).toBe(6)
    expect(asked.length - askedBefore).toBe(1)
    expect(reported).toHaveLength(1)
    setAway(false)
    clock.advance(60_000)
    expect(await admitted(limits, 20)).toBe(10)
  })

  it('show no address and no user to the shared buckets', async () => {
    const clock = aClock()
    const { buckets, asked } = someBuckets(clock)
    const { limits } = someLimits({ addressRate: 1, userRate: 1 }, { clock, shared: buckets })
    await limits.take(from({ peer: '192.0.2.77' }), 1, new Map([['ada', 1]]))
    const text = JSON.stringify(asked)
    expect(text).not.toContain('192.0.2')
    expect(text).not.toContain('ada')
    expect(asked[0]?.map(({ bucket }) => bucket.length)).toEqual([22, 22])
  })
})
