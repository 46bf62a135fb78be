import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaServer, type KafkaTarget } from '@freshet/adapters/testing/kafka-server'
import { redisServer, type RedisTarget } from '@freshet/adapters/testing/redis-server'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts, topics } from '@freshet/contracts/topics'
import { eventually } from './eventually.ts'

/** Partitions of every topic in tests. */
export const testPartitions = 8

/** A real Kafka and a real Redis. */
export interface Cluster {
  readonly kafka: KafkaTarget
  readonly redis: RedisTarget
  /** Empty topics, and keys in Redis that nobody used: what came before is not seen. `redisUrl`: another way to this Redis. */
  fresh(redisUrl?: string): Promise<World>
  stop(): Promise<void>
}

/** What services of a test stand on, and the test's own view of it. */
export interface World {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly keyPrefix: string
  readonly log: EventLog
  readonly store: StateStore
  close(): Promise<void>
}

/**
 * Kafka and Redis as the contract tests find them: named by FRESHET_TEST_KAFKA and FRESHET_TEST_REDIS, else in
 * containers, else absent, which is an error with FRESHET_EXPECT_CONTAINERS=1. A Kafka that is named loses its topics
 * of our names.
 */
export async function openCluster(
  options: Parameters<typeof kafkaServer>[0] = {},
): Promise<Cluster | { readonly absent: string }> {
  const [kafka, redis] = await Promise.all([kafkaServer(options), redisServer()])
  const stop = async (): Promise<void> => {
    await Promise.all([kafka, redis].map((each) => ('absent' in each ? Promise.resolve() : each.stop())))
  }
  if ('absent' in kafka || 'absent' in redis) {
    await stop()
    return { absent: [kafka, redis].flatMap((each) => ('absent' in each ? [each.absent] : [])).join('; ') }
  }
  return {
    kafka: kafka.target,
    redis: redis.target,
    fresh: (redisUrl = redis.target.url) => freshWorld(kafka.target.brokers, redisUrl, options.brokers ?? 1),
    stop,
  }
}

/** Empty topics on these brokers, and an unused key prefix on this Redis. */
async function freshWorld(brokers: readonly string[], redisUrl: string, replicationFactor: number): Promise<World> {
  await removeTopics(brokers)
  const clock = createSystemClock()
  const log = createKafkaEventLog({ brokers, clientId: 'freshet-test', clock, replicationFactor })
  await log.applyTopics(topicLayouts(testPartitions))
  const keyPrefix = `t${randomUUID().slice(0, 8)}:`
  const store = createRedisStateStore({ url: redisUrl, keyPrefix, commandTimeoutMs: 5_000 })
  return {
    brokers,
    redisUrl,
    keyPrefix,
    log,
    store,
    async close() {
      await Promise.all([log.close(), store.close()])
    },
  }
}

async function removeTopics(brokers: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'freshet-test', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const ours = async (): Promise<string[]> => (await admin.listTopics()).filter((name) => name in topics)
  const left = await ours()
  if (left.length > 0) {
    await admin.deleteTopics({ topics: left, timeout: 30_000 })
    await eventually('topics deleted', async () => ((await ours()).length === 0 ? true : null), 30_000)
  }
  await admin.disconnect()
}
