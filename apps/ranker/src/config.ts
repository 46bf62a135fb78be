import { kafkaSchema } from '@freshet/adapters/settings'
import { grpcSettings, serviceSettings } from '@freshet/service/settings'
import { z } from 'zod'

/** What an operator sets of the ranker. */
export const rankerSchema = z.strictObject({
  backend: z
    .enum(['auto', 'tensorflow', 'wasm'])
    .default('auto')
    .meta({ description: 'What TensorFlow.js computes with; a backend asked for by name and absent refuses to start' }),
  specFile: z.string().nullable().default(null).meta({
    description:
      'File of the ranking spec, JSON; null: the one that ships with the library. `libs/ranking/README.md` lists its fields',
  }),
  specReloadIntervalMs: z.int().min(0).max(3_600_000).default(5_000).meta({
    description:
      'Time between two looks at specFile; a changed spec serves without a restart. 0: only a restart loads it',
    unit: 'ms',
  }),
  maxPins: z.int().min(1).max(100_000_000).default(4_000_000).meta({
    description: 'Pins kept in memory; further ones are ranked without their features, and counted',
    unit: 'pins',
  }),
  maxDecodedStates: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(50_000)
    .meta({ description: 'Pin states kept decoded; the others are decoded when asked for', unit: 'pins' }),
  maxBatchRecords: z
    .int()
    .min(1)
    .max(100_000)
    .default(2_000)
    .meta({ description: 'Records read from the log at a time', unit: 'records' }),
  maxCandidates: z
    .int()
    .min(1)
    .max(10_000)
    .default(2_000)
    .meta({ description: 'Candidates that one request may bring', unit: 'candidates' }),
  answerReserveMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(20)
    .meta({ description: 'Part of a request kept for the answer when it waits for positions', unit: 'ms' }),
})

export type RankerConfig = z.infer<typeof rankerSchema>

/** What the process takes. */
export const processSchema = z.object({
  ...serviceSettings(9467),
  kafka: kafkaSchema,
  grpc: z.object(grpcSettings(7072)),
  ranking: rankerSchema,
})
