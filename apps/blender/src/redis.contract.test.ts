import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { redisServer, type RedisTarget } from '@freshet/adapters/testing/redis-server'
import { redisUser } from '@freshet/adapters/testing/redis-user'
import { openTcpProxy } from '@freshet/adapters/testing/tcp-proxy'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import { Degradation, Freshness, type GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { partitionOf } from '@freshet/domain/partition'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import { aBlenderOn, aFeedRequest, anEngagement, partitions } from './blender.harness.ts'

const redis = await redisServer()
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(async () => {
  if ('target' in redis) await redis.stop()
})

if ('target' in redis) describe('feeds on a real Redis', () => tests(redis.target))
else test.skip(`feeds on a real Redis: ${redis.absent}`)

let prefixes = 0

async function start({ url }: RedisTarget) {
  const address = new URL(url)
  const server = { host: address.hostname, port: Number(address.port) }
  const proxy = await openTcpProxy(server)
  closing.push(() => proxy.close())
  const keyPrefix = `test-blender-${process.pid}-${prefixes++}:`
  // The blender has its own rights and no others; what the updater writes is written by a user of everything.
  const asBlender = new URL(await redisUser(url, 'blender', keyPrefix))
  asBlender.host = `127.0.0.1:${proxy.port}`
  const store = createRedisStateStore({ url: asBlender.href, keyPrefix, commandTimeoutMs: 1_000 })
  const updaters = createRedisStateStore({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix })
  for (const each of [store, updaters]) closing.push(() => each.close())
  const blender = await aBlenderOn(store, { config: { awaitBudgetMs: 10_000 } })
  const storeUser = (actions: readonly ReturnType<typeof anEngagement>[], from: number, next: number) =>
    updaters.commit({
      scope: 'user.1',
      partition: partitionOf('ada', partitions),
      from,
      next,
      appends: [],
      puts: [
        {
          key: 'ada',
          value: encodeUserState(foldUser(newUserState, actions)),
          ttlMs: null,
        },
      ],
      deletes: [],
      meta: null,
      remember: [],
    })
  const feed = (timeoutMs = 5_000, after: string[] = []) =>
    blender.getFeed(aFeedRequest({ pageSize: 20, after }), { timeoutMs })
  return { proxy, server, feed, storeUser }
}

async function whole(feed: () => Promise<GetFeedResponse>): Promise<GetFeedResponse> {
  const deadlineMs = performance.now() + 10_000
  for (;;) {
    const answer = await feed()
    if (answer.degradation === Degradation.NONE) return answer
    if (performance.now() > deadlineMs) throw new Error(`still degraded: ${answer.reasons.join()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const idsOf = ({ items }: GetFeedResponse) => items.map(({ pinId }) => pinId)

function tests(target: RedisTarget): void {
  test('shows no pin twice, respects hides and waits for tokens', async () => {
    const { feed, storeUser } = await start(target)
    await storeUser([anEngagement('hide', 'pin-299')], 0, 5)
    const own = partitionOf('ada', partitions)
    const waiting = feed(20_000, [`e${own}-9`])
    await storeUser([anEngagement('hide', 'pin-299'), anEngagement('hide', 'pin-298')], 5, 10)
    const first = await waiting
    expect(first).toMatchObject({ degradation: Degradation.NONE, freshness: Freshness.CURRENT })
    const shown = [...idsOf(first), ...idsOf(await feed()), ...idsOf(await feed())]
    expect(shown).toHaveLength(60)
    expect(new Set(shown).size).toBe(60)
    expect(shown).not.toContain('pin-299')
    expect(shown).not.toContain('pin-298')
  })

  test('with Redis unreachable, answers within the deadline, says so and shows no pin twice; later recovers', async () => {
    const { feed, proxy, server } = await start(target)
    const first = await whole(feed)
    proxy.retarget({ host: '127.0.0.1', port: 1 })
    const startedMs = performance.now()
    const second = await feed(1_000)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(second.degradation).toBe(Degradation.LAST_GOOD)
    expect(second.reasons.length).toBeGreaterThan(0)
    proxy.retarget(server)
    const third = await whole(feed)
    const shown = [...idsOf(first), ...idsOf(second), ...idsOf(third)]
    expect(new Set(shown).size).toBe(shown.length)
  })
}
