import { z } from 'zod'
import { transformSchema } from '../transforms/catalogue.ts'

/** The largest number that a 32-bit float holds: models compute with these. */
const maxFloat32 = 3.4e38
const number = z.number().min(-maxFloat32).max(maxFloat32)

/** What a ranking spec may hold, as its author writes it. Names of features and actions are checked by `parseSpec`. */
export const specSchema = z.strictObject({
  version: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: 'Name of the model, for example `home-1`; goes into every answer and every recorded feed' }),
  features: z.record(
    z.string(),
    z.strictObject({
      transform: transformSchema
        .default('identity')
        .meta({ description: 'How the number is scaled before it is weighed; the table of transforms lists them' }),
    }),
  ),
  actions: z.record(
    z.string(),
    z.strictObject({
      worth: number.meta({ description: 'What one such action adds to the utility; below 0 for unwanted actions' }),
      bias: number.meta({ description: 'The logit of the probability where all features are 0' }),
      weights: z
        .record(z.string(), number.meta({ description: 'Weight of a scaled feature of this spec' }))
        .default({})
        .meta({ description: 'A feature without a weight weighs nothing' }),
    }),
  ),
})

/** A field of the spec as the README shows it. */
export interface SpecField {
  /** Dotted; `NAME` stands for a feature, `ACTION` for an action. */
  readonly path: string
  readonly type: string
  readonly default: string
  readonly description: string
}

/** Every field of a spec that holds a value. */
export function describeSpec(): readonly SpecField[] {
  return fieldsOf(specSchema, '', {})
}

const placeholders: Readonly<Record<string, string>> = { actions: 'ACTION' }

function fieldsOf(schema: z.core.$ZodType, path: string, known: Partial<SpecField>): readonly SpecField[] {
  const meta = z.globalRegistry.get(schema)
  const { description = meta?.description ?? '', default: standard = 'required' } = known
  if (schema instanceof z.ZodDefault)
    return fieldsOf(schema.def.innerType, path, { description, default: JSON.stringify(schema.def.defaultValue) })
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.def.shape).flatMap(([key, inner]) =>
      fieldsOf(inner as z.core.$ZodType, path === '' ? key : `${path}.${key}`, {}),
    )
  if (schema instanceof z.ZodRecord)
    return fieldsOf(schema.def.valueType, `${path}.${placeholders[path] ?? 'NAME'}`, { default: standard })
  const type = schema instanceof z.ZodNumber ? 'number' : schema instanceof z.ZodString ? 'text' : 'transform'
  return [{ path, type, default: standard, description }]
}
