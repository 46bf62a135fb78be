import { ContractError } from '@freshet/contracts/errors'
import type { z } from 'zod'

/** Reads a request. Throws CALL_INVALID_ARGUMENT that names the field. */
export function parsed<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new ContractError('CALL_INVALID_ARGUMENT', `${path.join('.') || 'body'}: ${message}`)
}
