import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { redisServer } from '@freshet/adapters/testing/redis-server'
import { Degradation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { partitionOf } from '@freshet/domain/partition'
import { aBlenderOn, aFeedRequest, manyPins, partitions } from './blender.harness.ts'
import { decodeServed } from './served-set.ts'

const redis = await redisServer()
afterAll(async () => {
  if ('target' in redis) await redis.stop()
})
const clock = createSystemClock()
// Time limits are not the subject, and other tests may use the processor.
const patient = { userStateBudgetMs: 10_000, retrieveBudgetMs: 10_000, rankBudgetMs: 10_000, recordBudgetMs: 10_000 }

describe('8 simultaneous refreshes of one user on two blenders', () => {
  test('on one store in memory', async () => {
    const store = createMemoryStateStore({ clock })
    await noPinTwice([store, store.another()])
  })

  test('on one LMDB', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-simultaneous-'))
    const environment = await openEnvironment({ folder, fsync: false })
    const open = () => createLmdbStateStore({ environment, clock })
    await noPinTwice([open(), open()])
    await environment.close()
    await rm(folder, { recursive: true })
  })

  if ('target' in redis) {
    const { url } = redis.target
    test('on one Redis', () => {
      const keyPrefix = `test-simultaneous-${process.pid}:`
      const connect = () => createRedisStateStore({ url, keyPrefix, commandTimeoutMs: 10_000 })
      return noPinTwice([connect(), connect()])
    })
  } else test.skip(`on one Redis: ${redis.absent}`)
})

/** Refreshes five times, 8 requests at a time, and compares what was shown with the served set. */
async function noPinTwice(stores: readonly StateStore[]): Promise<void> {
  const blenders = await Promise.all(
    stores.map((store) => aBlenderOn(store, { config: patient, pins: manyPins(1_000) })),
  )
  const shown: string[] = []
  for (let wave = 0; wave < 5; wave++) {
    const requests = Array.from({ length: 8 }, (_, at) =>
      blenders[at % 2]!.getFeed(aFeedRequest({ pageSize: 20 }), { timeoutMs: 30_000 }),
    )
    const answers = await Promise.all(requests)
    expect(answers.map(({ degradation }) => degradation)).toEqual(Array(8).fill(Degradation.NONE))
    shown.push(...answers.flatMap(({ items }) => items.map(({ pinId }) => pinId)))
  }
  expect(shown).toHaveLength(800)
  expect(new Set(shown).size).toBe(800)
  const { values } = await stores[0]!.read('served', partitionOf('ada', partitions), ['ada'])
  const served = decodeServed(values[0] ?? null, { atMs: clock.now(), windowMs: 3_600_000 })
  expect([served.size, served.lows.length]).toEqual([800, 800])
  for (const blender of blenders) await blender.stop()
  for (const store of stores) await store.close()
}
