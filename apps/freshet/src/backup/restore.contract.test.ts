import { Kafka, logLevel } from 'kafkajs'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaServer } from '@freshet/adapters/testing/kafka-server'
import { redisPorts, redisServer, type RedisFaults } from '@freshet/adapters/testing/redis-server'
import { decodePartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type EventId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { aRecord } from '@freshet/feature-updater/testing'
import { createUpdater } from '@freshet/feature-updater/updater'
import { afterAll, describe, expect, it, test } from 'vitest'
import { runLogAdopt } from '../operations/adopt.ts'
import { runUsersErase } from '../operations/erase-user.ts'
import type { Terminal } from '../operations/terminal.ts'
import { runCheck } from './check.ts'

const [kafka, redis] = [await kafkaServer(), await redisServer()]
afterAll(async () => {
  for (const server of [kafka, redis]) if ('target' in server) await server.stop()
})

if ('absent' in kafka) test.skip(`restoring Kafka and Redis: ${kafka.absent}`)
else if ('absent' in redis) test.skip(`restoring Kafka and Redis: ${redis.absent}`)
else if (redis.target.faults === null) test.skip('restoring Kafka and Redis: the named Redis is not ours to stop')
else {
  const { brokers } = kafka.target
  const { url, faults } = redis.target
  describe('Kafka and Redis of two moments', () => onKafkaAndRedis(brokers, url, faults))
}

const partitions = 4

function onKafkaAndRedis(brokers: readonly string[], redisUrl: string, faults: RedisFaults): void {
  const keyPrefix = `restore-${process.pid}:`
  const given = { brokers: brokers.join(','), redis: redisUrl, keyPrefix }
  const clock = createSystemClock()

  function open() {
    const log = createKafkaEventLog({ brokers, clientId: 'restore-test', clock, replicationFactor: 1 })
    const store = createRedisStateStore({ url: redisUrl, keyPrefix })
    const config = updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 100, generationPollMs: 50 } })
    const updater = createUpdater({ log, store, clock, config, onError: () => undefined })
    const close = async (): Promise<void> => {
      await updater.stop()
      await store.close()
      await log.close()
    }
    return { log, store, updater, close }
  }

  function terminal(): Terminal & { written: string } {
    const made = {
      written: '',
      write: (text: string) => void (made.written += text),
      progress: { write: () => true },
      nowMs: () => 0,
      signal: new AbortController().signal,
    }
    return made
  }

  async function check(): Promise<string> {
    const to = terminal()
    const failure = await runCheck(given, to).then(
      () => '',
      (error: unknown) => (error as Error).message,
    )
    return to.written + failure
  }

  async function applied({ store }: ReturnType<typeof open>): Promise<number> {
    let sum = 0
    for (let partition = 0; partition < partitions; partition++)
      sum += decodePartitionMeta((await store.readForFold({ ...nothingElse, scope: 'user.1', partition })).meta).counts
        .applied
    return sum
  }

  /** The lag is no help: an updater that has no partitions yet has none. */
  const folded = (at: ReturnType<typeof open>, events: number) =>
    expect.poll(() => applied(at), { timeout: 30_000 }).toBe(events)
  const records = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) =>
      aRecord({ userId: asId<UserId>(`user-${(from + at) % 20}`), eventId: asId<EventId>(`event-${from + at}`) }),
    )

  it('a Redis that is older than the log catches up, each event once', async () => {
    const before = open()
    await before.log.applyTopics(topicLayouts(partitions))
    await before.updater.start()
    await before.log.append('engagements.v1', records(0, 200))
    await folded(before, 200)
    await faults.cli(redisPorts.primary, 'save')
    await before.log.append('engagements.v1', records(200, 150))
    await folded(before, 350)
    await before.close()

    // The server loads the file of the moment of `save`.
    await faults.signal([redisPorts.primary], 'KILL')
    await faults.start(redisPorts.primary)
    const restored = await check()
    expect(restored).toContain('folded up to 150 positions before the end')
    expect(restored).toContain('200 records were counted')
    expect(restored).toContain('log, state and models fit together')

    const after = open()
    await after.updater.start()
    await folded(after, 350)
    expect(await check()).toContain('350 records were counted')
    await after.close()
  })

  it('a log that is younger than the state is named, nothing is folded until it is adopted, and what is sent again counts once', async () => {
    const admin = new Kafka({ brokers: [...brokers], clientId: 'restore-admin', logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.deleteTopics({ topics: ['engagements.v1'] })
    await expect
      .poll(async () => (await admin.listTopics()).includes('engagements.v1'), { timeout: 20_000 })
      .toBe(false)
    await admin.disconnect()
    const now = open()
    const { log, updater, close } = now
    await log.applyTopics(topicLayouts(partitions))
    await log.append('engagements.v1', records(300, 100))

    const found = await check()
    expect(found).toContain('engagements.v1 is another log')
    expect(found).toContain('freshet log adopt')
    await updater.start()
    expect(await applied(now)).toBe(350)

    await runLogAdopt(given, terminal(), {})
    // 50 of the hundred were folded from the log before.
    await folded(now, 400)
    const adopted = await check()
    expect(adopted).toContain('log, state and models fit together')
    await close()
  })

  it('a user who was erased after the backup is erased again', async () => {
    const user = 'user-3'
    const stateIn = async ({ store }: ReturnType<typeof open>): Promise<Uint8Array | null> =>
      (await store.read('user.1', partitionOf(user, partitions), [user])).values[0] ?? null
    const before = open()
    await before.updater.start()
    expect(await stateIn(before)).not.toBeNull()
    await faults.cli(redisPorts.primary, 'save')
    await runUsersErase(user, given, terminal())
    await expect.poll(() => stateIn(before), { timeout: 30_000 }).toBeNull()
    await before.close()

    await faults.signal([redisPorts.primary], 'KILL')
    await faults.start(redisPorts.primary)
    const after = open()
    expect(await stateIn(after)).not.toBeNull()
    await after.updater.start()
    await expect.poll(() => stateIn(after), { timeout: 30_000 }).toBeNull()
    await after.close()
  })
}
