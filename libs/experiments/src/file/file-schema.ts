import { z } from 'zod'

/** The number of buckets of a layer. */
export const bucketCount = 1_000

const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'has to be 1–64 letters, digits, dots, dashes or underscores')
const saltSchema = z.string().min(1).max(128)
const shareSchema = z.number().gt(0).max(1)

/** Not a record: zod would drop a key such as `__proto__` without a word. */
const treeSchema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object of parameters',
)

const armSchema = z.strictObject({
  name: nameSchema,
  share: shareSchema,
  params: treeSchema.default({}),
  onlySources: z.array(z.string()).max(64).default([]),
  withoutSources: z.array(z.string()).max(64).default([]),
  model: z.string().max(128).default(''),
  headFactors: z.record(nameSchema, z.number().min(0.001).max(1_000)).default({}),
})

const experimentSchema = z.strictObject({
  name: nameSchema,
  description: z.string().max(1_000).default(''),
  control: nameSchema,
  firstBucket: z
    .int()
    .min(0)
    .max(bucketCount - 1)
    .optional(),
  arms: z.array(armSchema).min(2).max(20),
})

const layerSchema = z.strictObject({
  name: nameSchema,
  salt: saltSchema,
  unit: z.enum(['user', 'session', 'feed']).default('user'),
  experiments: z.array(experimentSchema).max(100),
})

/** The shape of an experiment file. What its parts mean is in the README of this library. */
export const fileSchema = z.strictObject({
  holdOut: z.strictObject({ share: shareSchema, salt: saltSchema }).optional(),
  layers: z.array(layerSchema).max(32),
})

export type ExperimentFile = z.output<typeof fileSchema>
export type ArmOfFile = z.output<typeof armSchema>
