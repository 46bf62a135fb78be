import { kafkaSchema, redisSchema, type KafkaConfig, type RedisConfig } from '@freshet/adapters/settings'
import { loadConfig } from '@freshet/service/config'
import { ConfigError } from '@freshet/service/errors'
import type { Command } from 'commander'
import { z } from 'zod'

/** The connections to Kafka and Redis as options of the command line. Missing options come from the environment variables of the services (`FRESHET_KAFKA_BROKERS`). */
export interface ConnectionArguments {
  readonly brokers?: string
  readonly kafkaTls?: boolean
  readonly kafkaCa?: string
  readonly kafkaCert?: string
  readonly kafkaKey?: string
  readonly kafkaSasl?: string
  readonly kafkaUsername?: string
  readonly kafkaPasswordFile?: string
  readonly redis?: string
  readonly redisCluster?: string
  readonly redisUsername?: string
  readonly redisPasswordFile?: string
  readonly redisCa?: string
  readonly redisCert?: string
  readonly redisKey?: string
  readonly keyPrefix?: string
}

type Environment = Readonly<Record<string, string | undefined>>
interface Flag {
  readonly key: keyof ConnectionArguments
  readonly flag: string
  readonly path: string
  readonly description: string
}

const kafkaFlags: readonly Flag[] = [
  {
    key: 'brokers',
    flag: '--brokers <list>',
    path: 'kafka.brokers',
    description: 'addresses of some Kafka brokers as host:port, separated by commas',
  },
  { key: 'kafkaTls', flag: '--kafka-tls', path: 'kafka.tls.enabled', description: 'use TLS for Kafka' },
  {
    key: 'kafkaCa',
    flag: '--kafka-ca <file>',
    path: 'kafka.tls.caFile',
    description: 'PEM file with the certificate authorities of Kafka',
  },
  {
    key: 'kafkaCert',
    flag: '--kafka-cert <file>',
    path: 'kafka.tls.certFile',
    description: 'PEM file with the certificate of this client',
  },
  {
    key: 'kafkaKey',
    flag: '--kafka-key <file>',
    path: 'kafka.tls.keyFile',
    description: 'PEM file with the private key of that certificate',
  },
  {
    key: 'kafkaSasl',
    flag: '--kafka-sasl <mechanism>',
    path: 'kafka.sasl.mechanism',
    description: 'plain, scram-sha-256 or scram-sha-512',
  },
  {
    key: 'kafkaUsername',
    flag: '--kafka-username <name>',
    path: 'kafka.sasl.username',
    description: 'user name for the login',
  },
  {
    key: 'kafkaPasswordFile',
    flag: '--kafka-password-file <file>',
    path: 'kafka.sasl.passwordFile',
    description: 'file with the password; alternatively set FRESHET_KAFKA_SASL_PASSWORD',
  },
]

const redisFlags: readonly Flag[] = [
  {
    key: 'redis',
    flag: '--redis <url>',
    path: 'redis.url',
    description: 'address of Redis: redis://host:port/db, or rediss:// for TLS',
  },
  {
    key: 'redisCluster',
    flag: '--redis-cluster <list>',
    path: 'redis.clusterNodes',
    description: 'or addresses of some nodes of a Redis Cluster, separated by commas',
  },
  {
    key: 'redisUsername',
    flag: '--redis-username <name>',
    path: 'redis.username',
    description: 'user name for the login',
  },
  {
    key: 'redisPasswordFile',
    flag: '--redis-password-file <file>',
    path: 'redis.passwordFile',
    description: 'file with the password; alternatively set FRESHET_REDIS_PASSWORD',
  },
  {
    key: 'redisCa',
    flag: '--redis-ca <file>',
    path: 'redis.tls.caFile',
    description: 'PEM file with the certificate authorities of Redis',
  },
  {
    key: 'redisCert',
    flag: '--redis-cert <file>',
    path: 'redis.tls.certFile',
    description: 'PEM file with the certificate of this client',
  },
  {
    key: 'redisKey',
    flag: '--redis-key <file>',
    path: 'redis.tls.keyFile',
    description: 'PEM file with the private key of that certificate',
  },
  {
    key: 'keyPrefix',
    flag: '--key-prefix <text>',
    path: 'redis.keyPrefix',
    description: 'prefix of every key; default: like the services',
  },
]

/** Adds the options for the connection to Kafka. */
export function withKafka(command: Command): Command {
  return withFlags(command, kafkaFlags)
}

/** Adds the options for the connection to Redis. */
export function withRedis(command: Command): Command {
  return withFlags(command, redisFlags)
}

/** The settings of the connection to Kafka; null: no address is given. Throws a ConfigError that names the options. */
export function readKafkaSettings(given: ConnectionArguments, env: Environment = process.env): KafkaConfig | null {
  const settings = toSettings(given, kafkaFlags)
  if (settings['kafka.tls.caFile'] ?? settings['kafka.tls.certFile']) settings['kafka.tls.enabled'] ??= 'true'
  if (!('kafka.brokers' in settings) && isEmpty(env['FRESHET_KAFKA_BROKERS'])) return null
  return load(z.object({ kafka: kafkaSchema }), settings, kafkaFlags, groupVariables(env, 'KAFKA')).kafka
}

/** The settings of the connection to Redis; null: no address is given. Throws a ConfigError that names the options. */
export function readRedisSettings(given: ConnectionArguments, env: Environment = process.env): RedisConfig | null {
  const settings = toSettings(given, redisFlags)
  const variables = groupVariables(env, 'REDIS')
  // An address on the command line replaces an address of the other kind in the environment.
  if ('redis.url' in settings && !('redis.clusterNodes' in settings)) delete variables['FRESHET_REDIS_CLUSTER_NODES']
  if ('redis.clusterNodes' in settings && !('redis.url' in settings)) delete variables['FRESHET_REDIS_URL']
  const addresses = [
    settings['redis.url'],
    settings['redis.clusterNodes'],
    variables['FRESHET_REDIS_URL'],
    variables['FRESHET_REDIS_CLUSTER_NODES'],
  ]
  if (addresses.every(isEmpty)) return null
  return load(z.object({ redis: redisSchema }), settings, redisFlags, variables).redis
}

/** The connection options that were given, as on the command line. */
export function connectionFlags(given: ConnectionArguments): readonly string[] {
  return [...kafkaFlags, ...redisFlags].filter(({ key }) => given[key] !== undefined).map(({ flag }) => bare(flag))
}

function withFlags(command: Command, flags: readonly Flag[]): Command {
  for (const { flag, description } of flags) command.option(flag, description)
  return command
}

function toSettings(given: ConnectionArguments, flags: readonly Flag[]): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const { key, path } of flags) if (given[key] !== undefined) settings[path] = String(given[key])
  return settings
}

function groupVariables(env: Environment, group: string): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith(`FRESHET_${group}_`)))
}

function load<Schema extends z.ZodObject>(
  schema: Schema,
  overrides: Readonly<Record<string, string>>,
  flags: readonly Flag[],
  env: Environment,
): z.output<Schema> {
  try {
    return loadConfig(schema, { env, overrides })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const named = (problem: string): string =>
      flags.reduce((text, { flag, path }) => text.replaceAll(`--${path})`, `${bare(flag)})`), problem)
    throw new ConfigError(error.problems.map(named))
  }
}

function bare(flag: string): string {
  return flag.split(' ')[0]!
}

function isEmpty(text: string | undefined): boolean {
  return text === undefined || text === ''
}
