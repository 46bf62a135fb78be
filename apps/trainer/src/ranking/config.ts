import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Settings of the training of ranking models. */
export const rankingSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'Whether the trainer trains ranking models' }),
  surface: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'takes a-z, 0-9 and -')
    .default('home')
    .meta({ description: 'The surface whose models are trained' }),
  specFile: z.string().nullable().default(null).meta({
    description:
      'File with the ranking spec to train, in the ranking language (`.rank`) or in JSON, whose weights are what a model begins with. A changed file counts from the next training on. Null: in `freshet dev` the spec of the ranker, otherwise the spec that ships with the library',
  }),
  backend: z.enum(['auto', 'tensorflow', 'wasm']).default('auto').meta({
    description:
      "Backend of TensorFlow.js in the trainer's own process. Linear specs are learned without it. The trainer does not start if the named backend is missing",
  }),
  trainIntervalMs: wholeSetting(180_000, {
    description: 'Time between two trainings',
    unit: 'ms',
    min: 1_000,
    max: 86_400_000,
  }),
  fullEvery: wholeSetting(20, {
    description: 'Every so many trainings begin from scratch, without the weights and statistics of the serving model',
    unit: 'trainings',
    min: 1,
    max: 1_000_000,
  }),
  minRows: wholeSetting(200, {
    description: 'The first training waits for this many rows',
    unit: 'rows',
    min: 20,
    max: 10_000_000,
  }),
  minNewRows: wholeSetting(50, {
    description: 'A training waits until this many rows are new',
    unit: 'rows',
    min: 1,
    max: 10_000_000,
  }),
  newShare: numberSetting(0.05, {
    description:
      'A training waits until this share of its rows is new, so that training costs the same however much it keeps',
    unit: 'share',
    min: 0,
    max: 1,
  }),
  maxRows: wholeSetting(60_000, {
    description: 'A training uses at most this many rows, the newest',
    unit: 'rows',
    min: 100,
    max: 10_000_000,
  }),
  heldOutShare: numberSetting(0.2, {
    description: 'Share of the rows, the latest ones, on which a model is judged',
    unit: 'share',
    min: 0.02,
    max: 0.8,
  }),
  margin: numberSetting(0.01, {
    description:
      'A model that is worse than the serving one by more than this share of the log loss of any head is not published, nor is a first model that orders feeds worse than retrieval by more than this share of its NDCG',
    unit: 'share',
    min: 0,
    max: 1,
  }),
  priorPrecision: numberSetting(10, {
    description:
      'How much the weights that a linear spec begins with count against the rows (0 in the ranking language): 1 / variance of the weight of a number with deviation 1',
    unit: '1',
    min: 0.001,
    max: 1_000_000,
  }),
  maxSteps: wholeSetting(12, {
    description: "Steps of Newton's method in one training",
    unit: 'steps',
    min: 1,
    max: 1_000,
  }),
  keptModels: wholeSetting(50, {
    description: 'The registry keeps the newest models up to this number, and always the serving one',
    unit: 'models',
    min: 2,
    max: 10_000,
  }),
})

/** Settings of the training of ranking models, parsed. */
export type RankingTrainerConfig = z.output<typeof rankingSchema>
