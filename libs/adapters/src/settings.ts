import { flagSetting, numberSetting, optionalTextSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { fileProblem, tlsFileProblems, type TlsFiles } from './shared/tls/files.ts'

function tlsFiles(server: string) {
  return {
    caFile: optionalTextSetting(
      `PEM file with the certificate authorities of ${server}; null: those that Node.js trusts`,
    ),
    certFile: optionalTextSetting(`PEM file with the certificate of this client, if ${server} requires one`),
    keyFile: optionalTextSetting('PEM file with the private key of that certificate'),
    serverName: optionalTextSetting(`Name that the certificate of ${server} must contain; null: the host name`),
  } as const
}

/** Settings of the connection to Kafka. */
export const kafkaSettings = {
  client: z.enum(['kafkajs', 'platformatic']).default('kafkajs').meta({
    description:
      'Client library for Kafka. `platformatic` passes the tests of the event log, not yet those of the whole system',
  }),
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$/))
    .min(1)
    .meta({
      description: 'Addresses of some Kafka brokers as host:port. The client finds the other brokers by itself',
    }),
  tls: z.object({
    enabled: flagSetting(false, 'Whether connections to Kafka use TLS'),
    ...tlsFiles('Kafka'),
  }),
  sasl: z.object({
    mechanism: z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512']).default('none').meta({
      description: 'Login mechanism for Kafka. `plain` sends the password in the clear, so use it with TLS only',
    }),
    username: optionalTextSetting('User name for the login'),
    password: optionalTextSetting('Password for the login; prefer the environment or passwordFile', true),
    passwordFile: optionalTextSetting(
      'File that contains the password. The client reads it again for every connection',
    ),
  }),
  lingerMs: wholeSetting(5, {
    description: 'An append waits this long for others. A longer time gives larger batches and later answers',
    unit: 'ms',
    min: 0,
    max: 1_000,
  }),
  appendTimeoutMs: wholeSetting(5_000, {
    description: 'An append fails if Kafka does not acknowledge it within this time',
    unit: 'ms',
    min: 100,
    max: 60_000,
  }),
  maxPendingBytes: wholeSetting(64 << 20, {
    description:
      'Appends that wait for an acknowledgement may use at most this many bytes. The service rejects further appends',
    unit: 'bytes',
    min: 1 << 20,
    max: 4 * 2 ** 30,
  }),
} as const

const redisAddress = z
  .string()
  .refine(isRedisAddress, 'must be an address such as redis://host:6379 or rediss://host:6379')

/** Settings of the connection to Redis. */
export const redisSettings = {
  url: redisAddress.nullable().default(null).meta({
    description:
      'Address of a single Redis: redis://host:port/db, or rediss:// for TLS. For a cluster set clusterNodes instead',
    secret: true,
  }),
  clusterNodes: z.array(redisAddress).default([]).meta({
    description: 'Addresses of some nodes of a Redis Cluster. The client finds the other nodes by itself',
    secret: true,
  }),
  username: optionalTextSetting('User name for the login; null: the name in the address, else `default`'),
  password: optionalTextSetting(
    'Password for the login, if the address contains none; prefer the environment or passwordFile',
    true,
  ),
  passwordFile: optionalTextSetting('File that contains the password. The client reads it at start'),
  tls: z.object(tlsFiles('Redis')),
  keyPrefix: z
    .string()
    .regex(/^[^{}\s]*$/)
    .default('freshet:')
    .meta({ description: 'Prefix of every key' }),
  commandTimeoutMs: wholeSetting(1_000, {
    description: 'Maximum time for a command',
    unit: 'ms',
    min: 10,
    max: 60_000,
  }),
} as const

/** Address of a gRPC service, for `z.object({ ranker: z.object(callSettings('127.0.0.1:7072')) })`. */
export function callSettings(address: string) {
  return {
    address: z.string().min(1).default(address).meta({
      description:
        'Address of the service: host:port, several of them with commas between, or dns:///host:port for a name with several addresses',
    }),
    extraCallShare: numberSetting(0.1, {
      description:
        'A call that fails or is slower than 95 % of the recent ones is sent to another replica too. Of all calls, at most this share is sent again because of a failure, and at most this share because of slowness',
      unit: 'of the calls',
      min: 0,
      max: 1,
    }),
    minHedgeMs: wholeSetting(20, {
      description: 'A call that has no answer is not sent to another replica before this time',
      unit: 'ms',
      min: 1,
      max: 60_000,
    }),
    breakerFailures: wholeSetting(5, {
      description: 'A replica that fails this many times in a row gets no calls for `breakerOpenMs`',
      unit: 'failures',
      min: 1,
      max: 1_000,
    }),
    breakerOpenMs: wholeSetting(200, {
      description:
        'Time until a replica that failed gets a single call again. It doubles with each further failure, up to 1 s',
      unit: 'ms',
      min: 1,
      max: 1_000,
    }),
  } as const
}

/** What `callSettings` parse to. */
export type CallConfig = z.output<z.ZodObject<ReturnType<typeof callSettings>>>
/** What `kafkaSettings` parse to. */
export type KafkaConfig = z.output<z.ZodObject<typeof kafkaSettings>>
/** What `redisSettings` parse to. */
export type RedisConfig = z.output<z.ZodObject<typeof redisSettings>>

/** `kafkaSettings` with checks across settings; named files must be readable. */
export const kafkaSchema = z.object(kafkaSettings).superRefine(checkKafka)
/** `redisSettings` with checks across settings; named files must be readable. */
export const redisSchema = z.object(redisSettings).superRefine(checkRedis)

type Refusal = (path: readonly string[], message: string) => void

function refusal(context: z.core.$RefinementCtx): Refusal {
  return (path, message) => {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
}

/** Checks TLS and login of a connection to Kafka across settings. */
export function checkKafka({ tls, sasl }: Pick<KafkaConfig, 'tls' | 'sasl'>, context: z.core.$RefinementCtx): void {
  const refuse = refusal(context)
  const { enabled, ...files } = tls
  const given = givenOf(files)
  if (!enabled && given.length > 0)
    refuse(['tls', 'enabled'], `TLS is off, but ${given.join(', ')} is set; set this to true`)
  checkFiles(files, refuse)
  checkPassword(sasl, ['sasl'], refuse)
  const login = givenOf({ username: sasl.username, password: sasl.password, passwordFile: sasl.passwordFile })
  if (sasl.mechanism === 'none') {
    if (login.length > 0)
      refuse(['sasl', 'mechanism'], `there is no login, but ${login.join(', ')} is set; name the mechanism`)
    return
  }
  if (sasl.username === null) refuse(['sasl', 'username'], `${sasl.mechanism} needs a user name`)
  if (sasl.password === null && sasl.passwordFile === null)
    refuse(['sasl', 'password'], `${sasl.mechanism} needs a password; set this or passwordFile`)
}

/** `redisSchema` for services that can run without Redis: without settings they do not use it. */
export const optionalRedisSchema = z.object(redisSettings).superRefine((config, context) => {
  if (config.url !== null || config.clusterNodes.length > 0) checkRedis(config, context)
})

function checkRedis(config: RedisConfig, context: z.core.$RefinementCtx): void {
  const refuse = refusal(context)
  const { url, clusterNodes, username, password, passwordFile, tls } = config
  if (url === null && clusterNodes.length === 0)
    refuse(['url'], 'the address of Redis is missing; set this or clusterNodes')
  if (url !== null && clusterNodes.length > 0) refuse(['url'], 'clusterNodes is also set; set only one of them')
  const addresses = [...(url === null ? [] : [url]), ...clusterNodes]
    .filter(isRedisAddress)
    .map((address) => new URL(address))
  if (new Set(addresses.map(({ protocol }) => protocol)).size > 1)
    refuse(['clusterNodes'], 'some addresses begin with redis:// and some with rediss://; use only one of them')
  const given = givenOf(tls)
  if (given.length > 0 && addresses.some(({ protocol }) => protocol === 'redis:'))
    refuse(['tls', given[0]!], 'the address begins with redis://; TLS needs rediss://')
  checkFiles(tls, refuse)
  checkPassword(config, [], refuse)
  const login = password !== null || passwordFile !== null
  if (login && addresses.some((address) => address.password !== ''))
    refuse(
      [password === null ? 'passwordFile' : 'password'],
      'the address also contains a password; set only one of them',
    )
  if (username !== null && !login && addresses.every((address) => address.password === ''))
    refuse(['username'], 'a user name needs a password')
}

function checkFiles(files: TlsFiles, refuse: Refusal): void {
  for (const [key, problem] of tlsFileProblems(files)) refuse(['tls', key], problem)
}

function checkPassword(
  { password, passwordFile }: { readonly password: string | null; readonly passwordFile: string | null },
  at: readonly string[],
  refuse: Refusal,
): void {
  if (passwordFile === null) return
  const problem = fileProblem(passwordFile)
  if (problem !== null) refuse([...at, 'passwordFile'], problem)
  if (password !== null) refuse([...at, 'passwordFile'], 'password is also set; set only one of them')
}

function givenOf(values: Readonly<Record<string, string | null>>): readonly string[] {
  return Object.keys(values).filter((key) => values[key] !== null)
}

function isRedisAddress(text: string): boolean {
  return /^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)
}
