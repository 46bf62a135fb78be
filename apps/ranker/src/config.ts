import { kafkaSchema } from '@freshet/adapters/settings'
import { grpcSettings, serviceSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { healthSchema } from './models/health/config.ts'

/** Settings of the ranker. */
export const rankerSchema = z.strictObject({
  backend: z
    .enum(['auto', 'tensorflow', 'wasm'])
    .default('auto')
    .meta({ description: 'Backend of TensorFlow.js. The ranker does not start if the named backend is missing' }),
  specFile: z.string().nullable().default(null).meta({
    description:
      'File with the ranking spec: in JSON (fields in `libs/ranking/README.md`), or in the ranking language if it ends in `.rank` (`libs/ranking/LANGUAGE.md`); null: the spec that ships with the library',
  }),
  specReloadIntervalMs: z.int().min(0).max(3_600_000).default(5_000).meta({
    description:
      'Time between two checks of specFile. A changed spec is used without a restart; 0: only a restart loads it',
    unit: 'ms',
  }),
  surface: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'takes a-z, 0-9 and -')
    .default('home')
    .meta({ description: 'The surface of the registry whose models serve' }),
  modelRetryIntervalMs: z.int().min(100).max(3_600_000).default(10_000).meta({
    description:
      'Time between two searches for the file of a model that the registry names and the topic of models does not have',
    unit: 'ms',
  }),
  maxPins: z.int().min(1).max(100_000_000).default(4_000_000).meta({
    description:
      'The ranker keeps at most this many pins in memory. It counts further pins and ranks them without their features',
    unit: 'pins',
  }),
  maxDecodedStates: z.int().min(1).max(10_000_000).default(50_000).meta({
    description: 'The ranker keeps about this many pin states decoded. It decodes other states when it needs them',
    unit: 'pins',
  }),
  maxBatchRecords: z
    .int()
    .min(1)
    .max(100_000)
    .default(2_000)
    .meta({ description: 'The ranker reads at most this many records from the log at a time', unit: 'records' }),
  maxCandidates: z
    .int()
    .min(1)
    .max(10_000)
    .default(2_000)
    .meta({ description: 'A request may contain at most this many candidates', unit: 'candidates' }),
  answerReserveMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(20)
    .meta({ description: 'Time kept for the answer when a request waits for positions of the log', unit: 'ms' }),
  health: healthSchema.prefault({}),
})

export type RankerConfig = z.infer<typeof rankerSchema>

/** Settings of the process. */
export const processSchema = z.object({
  ...serviceSettings(9467),
  kafka: kafkaSchema,
  grpc: z.object(grpcSettings(7072)),
  ranking: rankerSchema,
})

/** Settings of earlier versions, and what replaces them. */
export const removedSettings: Readonly<Record<string, string>> = {
  modelFolder: 'models come by the log (topic model-files.v1), to which the trainer publishes them; remove it',
}
