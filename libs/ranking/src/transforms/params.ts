import { z } from 'zod'

/** The parameters of a transform that has none. */
export type NoParams = Record<string, never>

/** Accepts no parameter. */
export const noParams = z.strictObject({}) as z.ZodType<NoParams>
