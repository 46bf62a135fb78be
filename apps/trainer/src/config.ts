import { kafkaSchema } from '@freshet/adapters/settings'
import { serviceSettings } from '@freshet/service/settings'
import { wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { joinerSchema } from './joiner/config.ts'
import { rankingSchema } from './ranking/config.ts'

/** Settings of the trainer. */
export const trainerSchema = z.strictObject({
  dimensions: z
    .int()
    .min(4)
    .max(512)
    .multipleOf(4)
    .default(64)
    .meta({ description: 'Width of the pin embeddings', unit: 'numbers' }),
  maxPins: wholeSetting(2_000_000, {
    description: 'The trainer keeps embeddings of at most this many pins',
    unit: 'pins',
    min: 1,
    max: 1 << 24,
  }),
  publishIntervalMs: wholeSetting(2_000, {
    description: 'Time between two publications of changed rows',
    unit: 'ms',
    min: 100,
    max: 600_000,
  }),
  maxPublishRows: wholeSetting(5_000, {
    description: 'The trainer publishes at most this many rows at a time. Other rows wait for the next publication',
    unit: 'rows',
    min: 1,
    max: 100_000,
  }),
  checkpointIntervalMs: wholeSetting(300_000, {
    description: 'Time between two checkpoints',
    unit: 'ms',
    min: 1_000,
    max: 86_400_000,
  }),
  maxBatchRecords: wholeSetting(2_000, {
    description: 'The trainer reads at most this many records from the log at a time',
    unit: 'records',
    min: 1,
    max: 100_000,
  }),
  seed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(1)
    .meta({ description: 'Seed for the random negatives. The same seed and the same log give the same embeddings' }),
  joiner: joinerSchema.prefault({}),
  ranking: rankingSchema.prefault({}),
})

export type TrainerConfig = z.output<typeof trainerSchema>

/** Settings of the process. */
export const processSchema = z.object({
  ...serviceSettings(9469),
  kafka: kafkaSchema,
  trainer: trainerSchema,
  checkpointFolder: z.string().nullable().default(null).meta({
    description:
      'Folder for checkpoints and training rows; null: the trainer learns from the beginning of the log at every start and keeps no rows',
  }),
})
