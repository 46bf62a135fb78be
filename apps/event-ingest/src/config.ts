import { webOriginSchema } from '@freshet/access/web-origin'
import { checkKafka, kafkaSchema, kafkaSettings, optionalRedisSchema } from '@freshet/adapters/settings'
import { limitSettings } from '@freshet/service/rate-settings'
import { pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import { grpcSettings, httpSettings, serviceSettings } from '@freshet/service/settings'
import { optionalTextSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Settings of which events ingest accepts and which it rejects. */
export const ingestSettings = {
  maxBatchEvents: wholeSetting(1_000, {
    description: 'A request may contain at most this many events',
    unit: 'events',
    min: 1,
    max: 10_000,
  }),
  maxBodyBytes: wholeSetting(4 << 20, {
    description: 'Maximum size of the body of an HTTP request',
    unit: 'bytes',
    min: 1_024,
    max: 64 << 20,
  }),
  maxEventBytes: wholeSetting(256 << 10, {
    description:
      'Ingest rejects an event that takes more than this in the log: a pin with a long text and an embedding',
    unit: 'bytes',
    min: 4_096,
    max: 1 << 20,
  }),
  maxInFlightBytes: wholeSetting(64 << 20, {
    description:
      'Requests that wait for the log may use at most this many bytes. Ingest answers further requests with 503',
    unit: 'bytes',
    min: 1 << 20,
    max: 4 * 1024 * 1024 * 1024,
  }),
  maxEventAgeDays: wholeSetting(30, {
    description:
      'Ingest rejects engagements that are older than this, as coming from a wrong clock; 0: it accepts any age. Every accepted engagement counts, so 0 suits imports of old histories',
    unit: 'days',
    min: 0,
    max: 36_500,
  }),
  maxFutureMs: wholeSetting(300_000, {
    description: 'Ingest sets the time of engagements that are further in the future than this back to this bound',
    unit: 'ms',
    min: 0,
    max: 86_400_000,
  }),
  rejectFutureMs: wholeSetting(86_400_000, {
    description: 'Ingest rejects engagements that are further in the future than this',
    unit: 'ms',
    min: 0,
    max: 3_155_760_000_000,
  }),
  toleratedSkewMs: wholeSetting(30_000, {
    description:
      'If `sentAt` is later than the arrival by more than this, the clock of the client is ahead, and ingest sets the times of its events back by the difference',
    unit: 'ms',
    min: 0,
    max: 3_600_000,
  }),
  appendTimeoutMs: wholeSetting(5_000, {
    description: 'Ingest answers 503 if the log does not acknowledge within this time',
    unit: 'ms',
    min: 100,
    max: 60_000,
  }),
  maxErasedUsers: wholeSetting(1_000_000, {
    description:
      'Ingest remembers at most this many erased users, about 100 bytes each, to refuse late events from before. Of users beyond, the feature updater drops such events',
    unit: 'users',
    min: 1,
    max: 100_000_000,
  }),
  retryAfterSeconds: wholeSetting(2, {
    description: 'Value of the header `Retry-After` of a 503 answer',
    unit: 's',
    min: 1,
    max: 3_600,
  }),
  maxStreamBatches: wholeSetting(8, {
    description:
      'At most this many batches of one gRPC stream wait for the log. Ingest reads no further batch of that stream until one of them is answered',
    unit: 'batches',
    min: 1,
    max: 256,
  }),
  embeddingWidth: z
    .int()
    .min(1)
    .max(4_096)
    .nullable()
    .default(null)
    .meta({ description: 'Width of the visual embeddings in the catalogue; null: any width', unit: 'numbers' }),
  connectors: z
    .object({
      file: optionalTextSetting(
        'JSON file that maps CloudEvents and Segment events, and the records of `source.topic`, to engagements; null: only plain names such as `save` and `Pin Saved`',
      ),
    })
    .prefault({}),
} as const

/** Settings of access from browsers. */
export const corsSettings = {
  origins: z.array(webOriginSchema).default([]).meta({
    description:
      'Web origins that may post events, such as `https://www.example.org`; `*`: all origins; empty: only the same origin',
  }),
} as const

/** Settings of the admin port, which a process with keys opens for admin calls. */
export const adminSettings = {
  host: z.string().min(1).default('127.0.0.1').meta({
    description:
      'Address of the HTTP server for admin calls, such as the catalogue and erasures. Only a process with keys opens it',
  }),
  port: z.int().min(0).max(65_535).default(8081).meta({
    description:
      'Port of the HTTP server for admin calls; 0: any free port. A process without keys serves admin calls on its public port',
  }),
} as const

/** Settings of another system's Kafka topic that ingest reads. */
export const sourceSettings = {
  topic: optionalTextSetting('Topic of another system whose records become engagements; null: none'),
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$/))
    .default([])
    .meta({
      description: 'Addresses of its brokers as host:port; empty: those of `kafka.brokers`, with their settings',
    }),
  tls: kafkaSettings.tls.prefault({}),
  sasl: kafkaSettings.sasl.prefault({}),
  group: z
    .string()
    .regex(/^[\w.-]{1,128}$/)
    .default('freshet-source')
    .meta({
      description:
        'Replicas with the same group share the partitions. The group in Kafka has the id of the topic behind a dot: a topic that is created again is read from its beginning',
    }),
  format: z.enum(['json', 'cloudevents', 'segment']).default('json').meta({
    description:
      'What a record contains: an event in JSON, a CloudEvent (structured or binary), or an event as Segment delivers it',
  }),
  from: z.enum(['earliest', 'latest']).default('earliest').meta({
    description: 'Where a group that has never read the topic begins',
  }),
  maxBatchRecords: wholeSetting(500, {
    description: 'Ingest handles at most this many records of a partition at once',
    unit: 'records',
    min: 1,
    max: 10_000,
  }),
} as const

/** `sourceSettings` with checks across settings; named files must be readable. */
const sourceSchema = z.object(sourceSettings).superRefine(checkKafka)

/** The parsed `sourceSettings`. */
export type SourceConfig = z.output<typeof sourceSchema>

/** Settings of the rates of events. */
export const eventLimitSettings = limitSettings('events', {
  key: [0, 100_000],
  user: [50, 10_000],
  address: [2_000, 200_000],
})

/** The configuration of event-ingest. */
export const processSchema = z.object({
  ...serviceSettings(9464),
  http: z.object(httpSettings(8080)),
  admin: z.object(adminSettings),
  grpc: z.object(grpcSettings(7073)),
  cors: z.object(corsSettings),
  ingest: z.object(ingestSettings),
  limits: z.object(eventLimitSettings),
  pseudonyms: pseudonymsSchema,
  kafka: kafkaSchema,
  source: sourceSchema,
  /** If set, answers contain a notice when state is folded from another log than this one, and replicas share the counts of `limits`. */
  redis: optionalRedisSchema,
})

export type Config = z.output<typeof processSchema>

/** The parsed `ingestSettings`. */
export type IngestConfig = Config['ingest']
