import { kafkaSchema, optionalRedisSchema } from '@freshet/adapters/settings'
import { grpcSettings, httpSettings, serviceSettings } from '@freshet/service/settings'
import { wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Settings of what is taken and what is refused. */
export const ingestSettings = {
  maxBatchEvents: wholeSetting(1_000, {
    description: 'Most events of one request',
    unit: 'events',
    min: 1,
    max: 10_000,
  }),
  maxBodyBytes: wholeSetting(4 << 20, {
    description: 'Largest body of an HTTP request',
    unit: 'bytes',
    min: 1_024,
    max: 64 << 20,
  }),
  maxInFlightBytes: wholeSetting(64 << 20, {
    description: 'Most bytes of requests that may wait for the log; beyond it the answer is 503',
    unit: 'bytes',
    min: 1 << 20,
    max: 4 * 1024 * 1024 * 1024,
  }),
  maxEventAgeDays: wholeSetting(30, {
    description:
      'Engagements that happened longer ago are refused, as from a clock that is wrong; 0: none are. Whatever is taken counts, however old: 0 is right for histories of years',
    unit: 'days',
    min: 0,
    max: 36_500,
  }),
  maxFutureMs: wholeSetting(300_000, {
    description:
      'Engagements that claim to happen later than now by more than this are taken as happening that much later than now',
    unit: 'ms',
    min: 0,
    max: 86_400_000,
  }),
  rejectFutureMs: wholeSetting(86_400_000, {
    description: 'Engagements later than now by more than this are refused',
    unit: 'ms',
    min: 0,
    max: 3_155_760_000_000,
  }),
  toleratedSkewMs: wholeSetting(30_000, {
    description:
      'Where `sentAt` is later than the arrival by more than this, the clock is ahead: times of events are set back by the difference',
    unit: 'ms',
    min: 0,
    max: 3_600_000,
  }),
  appendTimeoutMs: wholeSetting(5_000, {
    description: 'How long the log may take to acknowledge before the answer is 503',
    unit: 'ms',
    min: 100,
    max: 60_000,
  }),
  retryAfterSeconds: wholeSetting(2, {
    description: 'What `Retry-After` says with 503',
    unit: 's',
    min: 1,
    max: 3_600,
  }),
  embeddingWidth: z
    .int()
    .min(1)
    .max(4_096)
    .nullable()
    .default(null)
    .meta({ description: "Width of the catalogue's visual embeddings; null: any", unit: 'numbers' }),
} as const

/** Settings of browsers' access. */
export const corsSettings = {
  origins: z.array(z.string().min(1)).default([]).meta({
    description: 'Origins whose pages may post, e.g. `https://www.example.org`; `*`: all; none: only the own',
  }),
} as const

/** The configuration of event-ingest. */
export const processSchema = z.object({
  ...serviceSettings(9464),
  http: z.object(httpSettings(8080)),
  grpc: z.object(grpcSettings(7073)),
  cors: z.object(corsSettings),
  ingest: z.object(ingestSettings),
  kafka: kafkaSchema,
  /** Given, answers say when the log is not the one that state is folded from. */
  redis: optionalRedisSchema,
})

export type Config = z.output<typeof processSchema>

/** What `ingestSettings` parse to. */
export type IngestConfig = Config['ingest']
