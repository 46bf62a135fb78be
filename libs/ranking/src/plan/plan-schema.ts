import { z } from 'zod'
import type { ElementType, ValueType } from './value-type.ts'

const size = z.int().positive()
const elementType: z.ZodType<ElementType> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('scalar') }),
  z.strictObject({ kind: z.literal('vector'), size }),
  z.strictObject({ kind: z.literal('category') }),
  z.strictObject({ kind: z.literal('index'), rows: size, hashes: size }),
])
const valueType: z.ZodType<ValueType> = z.union([
  elementType,
  z.strictObject({ kind: z.literal('sequence'), of: elementType, max: size }),
])
const side = z.enum(['request', 'candidate'])
const name = z.string().min(1)

/** The shape of a plan. `checkPlan` checks what it means. */
export const planSchema = z.strictObject({
  format: z.literal(1),
  spec: name,
  inputs: z.array(z.strictObject({ name, type: valueType, side })),
  nodes: z.array(
    z.strictObject({
      id: name,
      transform: name,
      args: z.array(name),
      params: z.record(z.string(), z.unknown()),
      type: valueType,
      side,
    }),
  ),
  firstPhase: z.strictObject({ score: name, keep: size }).nullable(),
  exploration: name.optional(),
  heads: z.array(
    z.strictObject({
      name,
      kind: z.enum(['probability', 'amount']),
      label: name,
      value: name,
      lossWeight: z.number().nonnegative(),
      calibrate: z.enum(['none', 'platt', 'isotonic']),
    }),
  ),
  utility: z.array(z.strictObject({ head: name, weight: z.number() })),
  exposed: z.array(name),
  trainingOnly: z.array(z.strictObject({ input: name, servingValue: z.number() })),
  training: z.strictObject({
    epochs: size,
    batchRows: size,
    learningRate: z.number().positive(),
    l2: z.number().nonnegative(),
    dropout: z.number().min(0).lt(1),
    patience: z.int().nonnegative(),
  }),
})
