import { z } from 'zod'
import { transformSchema } from './transforms/catalogue.ts'

/** The largest 32-bit float, because models compute with 32-bit floats. */
const maxFloat32 = 3.4e38
const number = z.number().min(-maxFloat32).max(maxFloat32)

/** The schema of a ranking spec as its author writes it. `parseSpec` checks the names of features and actions. */
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
        .meta({ description: 'How the number is scaled before the weight applies; see the table of transforms' }),
    }),
  ),
  exploration: z
    .record(
      z.string(),
      number.meta({
        description:
          'Standard deviation of the utility of a trained model: the sum of these weights times features of this spec, before any transform',
      }),
    )
    .default({})
    .meta({ description: 'No exploration' }),
  actions: z.record(
    z.string(),
    z.strictObject({
      worth: number.meta({ description: 'Utility of one such action; negative for unwanted actions' }),
      bias: number.meta({ description: 'The logit of the probability if all features are 0' }),
      weights: z
        .record(z.string(), number.meta({ description: 'Weight of a scaled feature of this spec' }))
        .default({})
        .meta({ description: 'A feature without a weight has weight 0' }),
    }),
  ),
})

/** A field of the spec as the README shows it. */
export interface SpecField {
  /** A dotted path; `NAME` is the name of a feature, `ACTION` of an action. */
  readonly path: string
  readonly type: string
  readonly default: string
  readonly description: string
}

/** Lists every field of a spec that has a value. */
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
