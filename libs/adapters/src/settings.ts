import { z } from 'zod'
import { fileProblem, tlsFileProblems, type TlsFiles } from './shared/tls/files.ts'

function whole(value: number, bounds: readonly [min: number, max: number], description: string, unit: string) {
  return z.int().min(bounds[0]).max(bounds[1]).default(value).meta({ description, unit })
}

function optional(description: string, secret = false) {
  return z.string().min(1).nullable().default(null).meta({ description, secret })
}

function tlsFiles(server: string) {
  return {
    caFile: optional(
      `PEM file with the authorities that sign the certificate of ${server}; null: those that Node.js trusts`,
    ),
    certFile: optional(`PEM file with this client's certificate, where ${server} wants one`),
    keyFile: optional("PEM file with that certificate's private key"),
    serverName: optional(`Name that the certificate of ${server} has to be for; null: its host`),
  } as const
}

/** Where Kafka is and how it is reached. */
export const kafkaSettings = {
  client: z
    .enum(['kafkajs', 'platformatic'])
    .default('kafkajs')
    .meta({ description: 'Library that carries the requests to Kafka; both keep the same promises' }),
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$/))
    .min(1)
    .meta({ description: 'Kafka brokers as host:port; the others are found from one' }),
  tls: z.object({
    enabled: z.boolean().default(false).meta({ description: 'Whether connections to Kafka use TLS' }),
    ...tlsFiles('Kafka'),
  }),
  sasl: z.object({
    mechanism: z
      .enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512'])
      .default('none')
      .meta({ description: 'How this client logs in to Kafka; `plain` sends the password as it is: use TLS' }),
    username: optional('Name with which this client logs in'),
    password: optional('Password; best given by the environment or passwordFile', true),
    passwordFile: optional('File that holds the password instead; read again for every connection'),
  }),
  lingerMs: whole(5, [0, 1_000], 'How long an append may wait for company; longer batches, later answers', 'ms'),
  appendTimeoutMs: whole(5_000, [100, 60_000], 'An append without an acknowledgement for this long has failed', 'ms'),
  maxPendingBytes: whole(
    64 << 20,
    [1 << 20, 4 * 2 ** 30],
    'Appends that wait for an acknowledgement at most; beyond, they are refused',
    'bytes',
  ),
} as const

const redisAddress = z.string().refine(isRedisAddress, 'is no address such as redis://host:6379 or rediss://host:6379')

/** Where Redis is and how it is reached. */
export const redisSettings = {
  url: redisAddress.nullable().default(null).meta({
    description: 'One Redis: redis://host:port/db, rediss:// for TLS; or set clusterNodes',
    secret: true,
  }),
  clusterNodes: z.array(redisAddress).default([]).meta({
    description: 'Some nodes of a Redis Cluster, each as such an address; the others are found',
    secret: true,
  }),
  username: optional('Name with which this client logs in; null: that of the address, else `default`'),
  password: optional('Password, where the address holds none; best given by the environment or passwordFile', true),
  passwordFile: optional('File that holds the password instead; read at start'),
  tls: z.object(tlsFiles('Redis')),
  keyPrefix: z
    .string()
    .regex(/^[^{}\s]*$/)
    .default('freshet:')
    .meta({ description: 'Begins every key' }),
  commandTimeoutMs: whole(1_000, [10, 60_000], 'The longest that a command may take', 'ms'),
} as const

/** Where a gRPC service is; for `z.object({ ranker: z.object(callSettings('127.0.0.1:7072')) })`. */
export function callSettings(address: string) {
  return {
    address: z
      .string()
      .min(1)
      .default(address)
      .meta({ description: 'Address of the service: host:port, or a name with several addresses as dns:///host:port' }),
  } as const
}

/** What `kafkaSettings` parse to. */
export type KafkaConfig = z.output<z.ZodObject<typeof kafkaSettings>>
/** What `redisSettings` parse to. */
export type RedisConfig = z.output<z.ZodObject<typeof redisSettings>>

/** `kafkaSettings`, checked against each other; files that are named must be readable. */
export const kafkaSchema = z.object(kafkaSettings).superRefine(checkKafka)
/** `redisSettings`, checked against each other; files that are named must be readable. */
export const redisSchema = z.object(redisSettings).superRefine(checkRedis)

type Refusal = (path: readonly string[], message: string) => void

function refusal(context: z.core.$RefinementCtx): Refusal {
  return (path, message) => {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
}

function checkKafka({ tls, sasl }: Pick<KafkaConfig, 'tls' | 'sasl'>, context: z.core.$RefinementCtx): void {
  const refuse = refusal(context)
  const { enabled, ...files } = tls
  const given = givenOf(files)
  if (!enabled && given.length > 0)
    refuse(['tls', 'enabled'], `TLS is off although ${given.join(', ')} is set; set this to true`)
  checkFiles(files, refuse)
  checkPassword(sasl, ['sasl'], refuse)
  const login = givenOf({ username: sasl.username, password: sasl.password, passwordFile: sasl.passwordFile })
  if (sasl.mechanism === 'none') {
    if (login.length > 0)
      refuse(['sasl', 'mechanism'], `no login is asked for although ${login.join(', ')} is set; name the mechanism`)
    return
  }
  if (sasl.username === null) refuse(['sasl', 'username'], `${sasl.mechanism} needs a name`)
  if (sasl.password === null && sasl.passwordFile === null)
    refuse(['sasl', 'password'], `${sasl.mechanism} needs a password; set this or passwordFile`)
}

/** `redisSchema` for services that can do without Redis: nothing set is nothing used. */
export const optionalRedisSchema = z.object(redisSettings).superRefine((config, context) => {
  if (config.url !== null || config.clusterNodes.length > 0) checkRedis(config, context)
})

function checkRedis(config: RedisConfig, context: z.core.$RefinementCtx): void {
  const refuse = refusal(context)
  const { url, clusterNodes, username, password, passwordFile, tls } = config
  if (url === null && clusterNodes.length === 0)
    refuse(['url'], 'nothing says where Redis is; set this or clusterNodes')
  if (url !== null && clusterNodes.length > 0) refuse(['url'], 'clusterNodes is set too; set one of them')
  const addresses = [...(url === null ? [] : [url]), ...clusterNodes]
    .filter(isRedisAddress)
    .map((address) => new URL(address))
  if (new Set(addresses.map(({ protocol }) => protocol)).size > 1)
    refuse(['clusterNodes'], 'some addresses begin with redis://, some with rediss://; use one of them')
  const given = givenOf(tls)
  if (given.length > 0 && addresses.some(({ protocol }) => protocol === 'redis:'))
    refuse(['tls', given[0]!], 'the address begins with redis://; TLS needs rediss://')
  checkFiles(tls, refuse)
  checkPassword(config, [], refuse)
  const login = password !== null || passwordFile !== null
  if (login && addresses.some((address) => address.password !== ''))
    refuse([password === null ? 'passwordFile' : 'password'], 'the address holds a password too; set one of them')
  if (username !== null && !login && addresses.every((address) => address.password === ''))
    refuse(['username'], 'no password is set beside it')
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
  if (password !== null) refuse([...at, 'passwordFile'], 'password is set too; set one of them')
}

function givenOf(values: Readonly<Record<string, string | null>>): readonly string[] {
  return Object.keys(values).filter((key) => values[key] !== null)
}

function isRedisAddress(text: string): boolean {
  return /^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)
}
