import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaServer } from '@freshet/adapters/testing/kafka-server'
import { redisServer } from '@freshet/adapters/testing/redis-server'
import { pinInspection, progressInspection, storedPinState, userInspection } from '@freshet/contracts/inspection/routes'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { aRecord } from '@freshet/feature-updater/testing'
import { createUpdater } from '@freshet/feature-updater/updater'
import { afterAll, describe, expect, it, test } from 'vitest'
import { runDlqList, runDlqReplay } from './dead-letters.ts'
import { runUsersErase } from './erase-user.ts'
import { runRebuild } from './rebuild.ts'
import type { Terminal } from './terminal.ts'
import { runWhy } from './why.ts'

const [kafka, redis] = [await kafkaServer(), await redisServer()]
afterAll(async () => {
  for (const server of [kafka, redis]) if ('target' in server) await server.stop()
})

if ('absent' in kafka) test.skip(`operations on Kafka and Redis: ${kafka.absent}`)
else if ('absent' in redis) test.skip(`operations on Kafka and Redis: ${redis.absent}`)
else {
  const { brokers } = kafka.target
  const { url } = redis.target
  describe('operations on Kafka and Redis', () => onKafkaAndRedis(brokers, url))
}

function onKafkaAndRedis(brokers: readonly string[], redisUrl: string): void {
  it('rebuild beside a running updater, replay dead letters once, erase a user permanently', async () => {
    const partitions = 4
    const keyPrefix = `operations-${process.pid}:`
    const clock = createSystemClock()
    const log = createKafkaEventLog({ brokers, clientId: 'operations-test', clock, replicationFactor: 1 })
    const store = createRedisStateStore({ url: redisUrl, keyPrefix })
    let written = ''
    const terminal: Terminal = {
      write: (text) => (written += text),
      progress: { write: () => true },
      nowMs: () => 0,
      signal: new AbortController().signal,
    }
    const given = { brokers: brokers.join(','), redis: redisUrl, keyPrefix }
    const stored = async (user: string, generation: string): Promise<Uint8Array | null> =>
      (await store.read(`user.${generation}`, partitionOf(user, partitions), [user])).values[0] ?? null

    await log.applyTopics(topicLayouts(partitions))
    const updater = createUpdater({
      log,
      store,
      clock,
      config: updaterConfigOf({ updater: { canaryEveryMs: 0, generationPollMs: 50 } }),
    })
    await updater.start()
    const caughtUp = async (): Promise<void> => {
      await expect.poll(() => updater.lag(), { timeout: 30_000 }).toBe(0)
    }
    try {
      const users = Array.from({ length: 50 }, (_, at) => aRecord({ userId: asId<UserId>(`user-${at}`) }))
      const broken = { key: 'user-7', value: Uint8Array.of(255), partition: null }
      await log.append('engagements.v1', [...users, broken])
      const letters = async (): Promise<number> =>
        (await log.ends('dead-letters.v1')).reduce((sum, end) => sum + end, 0)
      await expect.poll(letters, { timeout: 30_000 }).toBe(1)
      await caughtUp()

      await runRebuild({ ...given, family: 'all' }, terminal, {})
      expect(written).toMatch(/user: generation 2 serves/)
      expect(written).toMatch(/pin: generation 2 serves/)
      expect(await stored('user-7', '2')).not.toBeNull()

      // A18: a running service shows its users and pins, on Kafka and Redis too.
      const { signal } = terminal
      const ofUser = (userId: string) => userInspection({ log, store, clock }).answer(userId, {}, signal)
      expect(await ofUser('user-8')).toMatchObject({ userId: 'user-8', recentActionsKept: 1 })
      await expect(ofUser('nobody')).rejects.toThrow(/nothing is known of the user nobody/)
      const pins = pinInspection({ clock, stateOf: storedPinState({ log, store }) })
      expect(await pins.answer('p', {}, signal)).toMatchObject({ pinId: 'p', engagements: {} })
      expect(await progressInspection({ log, store }).answer('', {}, signal)).toMatchObject({
        lag: 0,
        counts: { applied: 50, deadLettered: 1 },
      })

      await runDlqList(given, terminal)
      expect(written).toContain('1 dead letter\n')
      await runDlqReplay({ ...given, rate: '1000' }, terminal)
      expect(written).toContain('1 match, 0 replayed, 1 still cannot be read')

      await runUsersErase('user-7', given, terminal)
      // A26: refused by name from this moment on.
      await expect(ofUser('user-7')).rejects.toThrow(/user-7 was erased at/)
      await expect(runWhy('user-7', given, terminal)).rejects.toThrow(/user-7 was erased at/)
      await expect.poll(() => stored('user-7', '2'), { timeout: 30_000 }).toBeNull()
      await log.append('engagements.v1', [aRecord({ userId: asId<UserId>('user-7') })])
      await caughtUp()
      expect(await stored('user-7', '2')).toBeNull()
      await runRebuild({ ...given, family: 'user' }, terminal, {})
      expect(await stored('user-7', '3')).toBeNull()
      expect(await stored('user-8', '3')).not.toBeNull()
    } finally {
      await updater.stop()
      await store.close()
      await log.close()
    }
  })
}
