import { nearest } from '@freshet/domain/nearest'
import { z } from 'zod'
import { identity } from './identity.ts'
import { log } from './log.ts'
import { log1p } from './log1p.ts'
import { range } from './range.ts'
import { signedLog1p } from './signed-log1p.ts'
import type { ScaleColumn, TransformDefinition } from './transform.ts'

/** All transforms. To add one, write its file in this folder and register it here. */
export const transforms = [identity, log1p, signedLog1p, log, range] as const

/** A transform as a spec writes it: its name, or an object whose only key is its name. */
export type Transform = z.output<(typeof transforms)[number]['schema']>

const byName = new Map<string, TransformDefinition>(transforms.map((transform) => [transform.name, transform]))

/** Compiles a transform for rows of `width` numbers. Throws a ZodError if it is not a transform. */
export function compileTransform(transform: Transform, width: number): ScaleColumn {
  const { schema, compile } = byName.get(nameOfTransform(transform))!
  return compile(schema.parse(transform), width)
}

/** Checks a transform by its own schema, so that a problem names the wrong setting. */
export const transformSchema = z.unknown().transform((given, { issues }): Transform => {
  const definition = byName.get(nameOfTransform(given))
  if (definition === undefined) {
    issues.push({ code: 'custom', input: given, message: unknownTransform(given) })
    return z.NEVER
  }
  const parsed = definition.schema.safeParse(given)
  if (parsed.success) return parsed.data as Transform
  issues.push(...(parsed.error.issues as typeof issues))
  return z.NEVER
})

/** The name of a transform as a spec writes it; empty: it has none. */
function nameOfTransform(given: unknown): string {
  if (typeof given === 'object' && given !== null) return Object.keys(given)[0] ?? ''
  return typeof given === 'string' ? given : ''
}

function unknownTransform(given: unknown): string {
  const near = nearest(nameOfTransform(given), [...byName.keys()])
  const known = transforms.map(({ spelling }) => spelling).join(', ')
  return `is not a transform${near === null ? '' : `; did you mean ${byName.get(near)!.spelling}?`}; the transforms are ${known}`
}
