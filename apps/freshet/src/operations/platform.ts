import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { openEnvironment, type LmdbEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { redisOptions } from '@freshet/adapters/redis/connect'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { writingAs } from '@freshet/contracts/origin'
import { version } from '@freshet/domain/version'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Clock } from '@freshet/domain/clock'
import { ArgumentError } from '../arguments.ts'
import { connectionFlags, kafkaOf, redisOf, type ConnectionArguments } from '../connection.ts'

/** Where log and state are: Kafka and Redis, or the data folder of the one-process edition. */
export interface PlatformArguments extends ConnectionArguments {
  readonly data?: string
}

/** The log, for commands that need nothing else. */
export interface OpenLog {
  readonly log: EventLog
  readonly clock: Clock
  close(): Promise<void>
}

/** Log and state. */
export interface OpenPlatform extends OpenLog {
  readonly store: StateStore
}

/** A data folder. */
export interface OpenFolder extends OpenPlatform {
  readonly environment: LmdbEnvironment
}

const clientId = 'freshet-cli'

/** Opens the log. Throws an ArgumentError where it isn't clear which, STORE_IN_USE where another process has the data folder. */
export async function openLog(given: PlatformArguments): Promise<OpenLog> {
  if (given.data !== undefined) return openFolder(given)
  const kafka = kafkaOf(given)
  if (kafka === null)
    throw new ArgumentError('give --brokers or set FRESHET_KAFKA_BROKERS, or give --data for the one-process edition')
  const clock = createSystemClock()
  const log = writingAs(createKafkaEventLog({ ...kafkaOptions(kafka), clientId, clock }), clientId, version)
  return { log, clock, close: () => log.close() }
}

/** Opens log and state store. Throws as `openLog` does. */
export async function openPlatform(given: PlatformArguments): Promise<OpenPlatform> {
  if (given.data !== undefined) return openFolder(given)
  const redis = redisOf(given)
  if (redis === null)
    throw new ArgumentError(
      'give --brokers with --redis or --redis-cluster, or set FRESHET_KAFKA_BROKERS and FRESHET_REDIS_URL, or give --data for the one-process edition',
    )
  const { log, clock } = await openLog(given)
  const store = createRedisStateStore(redisOptions(redis))
  return {
    log,
    store,
    clock,
    async close() {
      await store.close()
      await log.close()
    },
  }
}

/** Opens a data folder; with `partitions`, makes it if there is none. */
export async function openFolder(given: PlatformArguments, partitions: number | null = null): Promise<OpenFolder> {
  const { data: folder } = given
  if (folder === undefined) throw new ArgumentError('give --data')
  const [other] = connectionFlags(given)
  if (other !== undefined) throw new ArgumentError(`--data goes without ${other}: the folder holds log and state`)
  const exists = existsSync(join(folder, 'data.mdb'))
  if (!exists && partitions === null)
    throw new ArgumentError(`--data ${folder} is no data folder; \`freshet dev --data ${folder}\` makes one`)
  const clock = createSystemClock()
  const environment = await openEnvironment({ folder, probe: true })
  const log = writingAs(createLmdbEventLog({ environment, clock, compactEveryMs: null }), clientId, version)
  const store = createLmdbStateStore({ environment, clock })
  if (!exists && partitions !== null) await log.applyTopics(topicLayouts(partitions))
  return {
    log,
    store,
    clock,
    environment,
    async close() {
      await store.close()
      await log.close()
      await environment.close()
    },
  }
}

/** Runs a command on what was opened and closes it whatever happens. */
export async function withOpen<Open extends { close(): Promise<void> }, T>(
  opening: Promise<Open>,
  work: (open: Open) => Promise<T>,
): Promise<T> {
  const open = await opening
  try {
    return await work(open)
  } finally {
    await open.close()
  }
}
