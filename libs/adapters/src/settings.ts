import { z } from 'zod'

function whole(value: number, bounds: readonly [min: number, max: number], description: string, unit: string) {
  return z.int().min(bounds[0]).max(bounds[1]).default(value).meta({ description, unit })
}

/** Where Kafka is; for `z.object({ kafka: z.object(kafkaSettings) })`. */
export const kafkaSettings = {
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$/))
    .min(1)
    .meta({ description: 'Kafka brokers as host:port; the others are found from one' }),
  lingerMs: whole(5, [0, 1_000], 'How long an append may wait for company; longer batches, later answers', 'ms'),
  appendTimeoutMs: whole(5_000, [100, 60_000], 'An append without an acknowledgement for this long has failed', 'ms'),
  maxPendingBytes: whole(
    64 << 20,
    [1 << 20, 4 * 2 ** 30],
    'Appends that wait for an acknowledgement at most; beyond, they are refused',
    'bytes',
  ),
} as const

/** Where Redis is; for `z.object({ redis: z.object(redisSettings) })`. */
export const redisSettings = {
  url: z.string().nullable().default(null).meta({
    description: 'One Redis: redis://user:password@host:port/db, rediss:// for TLS; or set clusterNodes',
    secret: true,
  }),
  clusterNodes: z
    .array(z.string())
    .default([])
    .meta({ description: 'Some nodes of a Redis Cluster, each as such an address', secret: true }),
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
