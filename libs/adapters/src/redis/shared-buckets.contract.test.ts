import type { RateCharge } from '@freshet/domain/gcra'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisServer, type RedisTarget, type Servers } from '../testing/redis-server.ts'
import { createRedisBuckets, type RedisBuckets } from './shared-buckets.ts'

const servers: Servers<RedisTarget> = await redisServer()
const absent = 'absent' in servers ? servers.absent : null

describe.skipIf(absent !== null)(`shared buckets on Redis${absent === null ? '' : ` (skipped: ${absent})`}`, () => {
  const { target, stop } = servers as Extract<Servers<RedisTarget>, { target: RedisTarget }>
  const keyPrefix = `test-${process.pid}-buckets:`
  const replicas: RedisBuckets[] = []
  let client: Redis
  beforeAll(() => {
    replicas.push(...[1, 2].map(() => createRedisBuckets({ url: target.url, keyPrefix })))
    client = new Redis(target.url)
  })
  afterAll(async () => {
    const keys = await client.keys(`${keyPrefix}*`)
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
    await Promise.all(replicas.map((replica) => replica.close()))
    await stop()
  })
  const replica = (at: number): RedisBuckets => replicas[at % 2] as RedisBuckets
  const charge = (bucket: string, cost: number, ratePerSecond: number, burst: number): RateCharge => ({
    bucket,
    cost,
    limit: { ratePerSecond, burst },
  })

  it('admit together, from two replicas at once, one burst and no unit more', async () => {
    const slow = charge('together', 1, 0.01, 100)
    const answers = await Promise.all(Array.from({ length: 400 }, (_, at) => replica(at).charge([slow])))
    expect(answers.filter((answer) => answer === null)).toHaveLength(100)
  })

  it('admit what they refused after the time that they told, and not before', async () => {
    const each = charge('waits', 5, 50, 5)
    expect(await replica(0).charge([each])).toBeNull()
    const refused = await replica(1).charge([each])
    expect(refused?.at).toBe(0)
    expect(refused?.retryAfterMs).toBeGreaterThan(0)
    expect(refused?.retryAfterMs).toBeLessThanOrEqual(100)
    await new Promise((resolve) => setTimeout(resolve, (refused?.retryAfterMs ?? 0) + 5))
    expect(await replica(0).charge([each])).toBeNull()
  })

  it('charge all buckets of a request or none, and name the one that waits longest', async () => {
    const [free, full, fuller] = [charge('free', 1, 0.01, 2), charge('full', 1, 0.1, 1), charge('fuller', 1, 0.01, 1)]
    await replica(0).charge([full, fuller])
    expect(await replica(1).charge([free, full, fuller])).toMatchObject({ at: 2 })
    expect(await replica(0).charge([free])).toBeNull()
    expect(await replica(0).charge([free])).toBeNull()
    expect(await replica(0).charge([free])).toMatchObject({ at: 0 })
  })

  it('refuse for ever what is more than a burst', async () => {
    expect(await replica(0).charge([charge('never', 6, 1, 5)])).toEqual({ at: 0, retryAfterMs: null })
    expect(await replica(0).charge([charge('never', 5, 1, 5)])).toBeNull()
  })

  it('leave no key behind once a bucket is empty', async () => {
    await replica(0).charge([charge('passing', 1, 100, 10)])
    const ttlMs = await client.pttl(`${keyPrefix}{rates}:passing`)
    expect(ttlMs).toBeLessThanOrEqual(12)
  })

  it('have one secret, whoever asks first', async () => {
    const secrets = await Promise.all(replicas.map((each) => each.secret()))
    expect(secrets[0]).toEqual(secrets[1])
    expect(secrets[0]?.length).toBe(32)
  })

  it('reject within their time limit if Redis does not answer', async () => {
    const away = createRedisBuckets({ url: 'redis://127.0.0.1:1', keyPrefix, commandTimeoutMs: 50 })
    await expect(away.charge([charge('away', 1, 1, 1)])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await away.close()
  })
})
