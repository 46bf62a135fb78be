import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openEnvironment, type LmdbEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { writingAs } from '@freshet/contracts/origin'
import { version } from '@freshet/domain/version'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Clock } from '@freshet/domain/clock'
import { ArgumentError } from '../arguments.ts'
import { connectionFlags, readKafkaSettings, readRedisSettings, type ConnectionArguments } from '../connection.ts'

/** The location of log and state: Kafka and Redis, or the data folder of `freshet dev`. */
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

/** Opens the log. Throws an ArgumentError if the arguments do not name one log, and STORE_IN_USE if another process uses the data folder. */
export async function openLog(given: PlatformArguments): Promise<OpenLog> {
  if (given.data !== undefined) return openFolder(given)
  const kafka = readKafkaSettings(given)
  if (kafka === null)
    throw new ArgumentError(
      'give --brokers or set FRESHET_KAFKA_BROKERS, or give --data with the data folder of `freshet dev`',
    )
  const clock = createSystemClock()
  // Imported here, because `freshet dev` needs no client of Kafka or Redis, and each takes time to load.
  const { kafkaOptions } = await import('@freshet/adapters/kafka/connect')
  const { createKafkaEventLog } = await import('@freshet/adapters/kafka/event-log')
  const log = writingAs(createKafkaEventLog({ ...kafkaOptions(kafka), clientId, clock }), clientId, version)
  return { log, clock, close: () => log.close() }
}

/** Opens log and state store. Throws the same errors as `openLog`. */
export async function openPlatform(given: PlatformArguments): Promise<OpenPlatform> {
  if (given.data !== undefined) return openFolder(given)
  const redis = readRedisSettings(given)
  if (redis === null)
    throw new ArgumentError(
      'give --brokers with --redis or --redis-cluster, or set FRESHET_KAFKA_BROKERS and FRESHET_REDIS_URL, or give --data with the data folder of `freshet dev`',
    )
  const { log, clock } = await openLog(given)
  const { redisOptions } = await import('@freshet/adapters/redis/connect')
  const { createRedisStateStore } = await import('@freshet/adapters/redis/state-store')
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

/** Opens a data folder. If it does not exist and `partitions` is given, creates it. */
export async function openFolder(given: PlatformArguments, partitions: number | null = null): Promise<OpenFolder> {
  const { data: folder } = given
  if (folder === undefined) throw new ArgumentError('give --data')
  const [other] = connectionFlags(given)
  if (other !== undefined)
    throw new ArgumentError(`--data cannot be combined with ${other}: the folder contains log and state`)
  const exists = existsSync(join(folder, 'data.mdb'))
  if (!exists && partitions === null)
    throw new ArgumentError(`--data ${folder} is not a data folder; \`freshet dev --data ${folder}\` creates one`)
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

/** Runs `work` on an opened resource and always closes the resource. */
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
