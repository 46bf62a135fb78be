import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import { parseTime } from '@freshet/contracts/json/time'
import type { Engagement } from '@freshet/domain/engagement'
import { idProblem } from '@freshet/domain/ids'
import { parseLocale } from '@freshet/domain/locale'
import type { PinChange } from '@freshet/domain/pin'
import { z } from 'zod'

/** Version of the protocol of worlds. */
export const protocolVersion = 1

/** Why a line breaks the protocol: the field, its problem and what is allowed. */
export class ProtocolFault extends Error {}

/** A line of the program, checked. Times are in milliseconds since the epoch. */
export type WorldLine =
  | { readonly kind: 'pin'; readonly change: PinChange }
  | { readonly kind: 'engagement'; readonly atMs: number; readonly engagement: Engagement }
  | { readonly kind: 'ask'; readonly atMs: number; readonly ask: Ask }
  | { readonly kind: 'tick'; readonly atMs: number }
  /** `text`: the report as the program wrote it. */
  | { readonly kind: 'report'; readonly text: string }
  | { readonly kind: 'end' }

/** A line of the product. */
export type ProductLine =
  | { readonly hello: { readonly protocol: number } }
  | { readonly shown: Shown }
  | { readonly model: { readonly version: string; readonly at: string } }
  | { readonly stop: { readonly at: string } }
  | { readonly error: { readonly line: number; readonly reason: string } }

/** The answer to an ask. */
export interface Shown {
  readonly id: string | number
  readonly at: string
  readonly feedId: string
  readonly pinIds: readonly string[]
  /** Predicted probabilities by action, in the order of `pinIds`; absent: the ranker did not score the page. */
  readonly probabilities?: Readonly<Record<string, readonly number[]>>
  /** The name of a `Degradation` in `blending.proto`: DEGRADATION_NONE is a full answer. */
  readonly degradation: string
}

const id = z.string().superRefine((value, context) => {
  const problem = idProblem(value)
  if (problem !== null) context.addIssue({ code: 'custom', message: problem })
})
const time = z.string().refine((text) => parseTime(text) > 0, {
  error: ({ input }) => `is ${JSON.stringify(input)}; give an RFC 3339 time such as 2026-01-31T12:00:00.000Z`,
})
const locale = z.string().refine((text) => parseLocale(text) !== null, {
  error: ({ input }) => `is ${JSON.stringify(input)}, which is not BCP 47; give a locale such as de-AT`,
})

const askSchema = z
  .strictObject({
    id: z.union([id, z.int()]),
    at: time,
    userId: id,
    surface: z.enum(['home', 'related']),
    pinId: id.optional(),
    pageSize: z.int().min(1).max(100),
    locale: locale.optional(),
  })
  .refine(({ surface, pinId }) => (surface === 'related') === (pinId !== undefined), {
    path: ['pinId'],
    error: 'is the pin whose related pins are asked for: give it with surface related, and only there',
  })
const tickSchema = z.strictObject({ at: time })
const endSchema = z.strictObject({})

/** Someone opens a feed, or the related pins of a pin. */
export type Ask = z.output<typeof askSchema>

const kinds = ['pin', 'engagement', 'ask', 'tick', 'report', 'end']

/** Checks a line of the program. Throws a ProtocolFault with all problems of the line. */
export function parseWorldLine(text: string): WorldLine {
  const [kind, value] = onlyKey(text)
  switch (kind) {
    case 'pin': {
      const parsed = parsePinJson(value, 'pin')
      if (!parsed.ok) throw new ProtocolFault(parsed.problem.message)
      return { kind, change: parsed.change }
    }
    case 'engagement': {
      const parsed = parseEngagementJson(value, 'engagement')
      if (!parsed.ok) throw new ProtocolFault(parsed.problem.message)
      return { kind, atMs: parsed.engagement.occurredAtMs, engagement: parsed.engagement }
    }
    case 'ask': {
      const ask = checked(askSchema, value, kind)
      return { kind, atMs: parseTime(ask.at), ask }
    }
    case 'tick':
      return { kind, atMs: parseTime(checked(tickSchema, value, kind).at) }
    case 'report':
      return { kind, text: text.slice(text.indexOf(':') + 1, text.lastIndexOf('}')).trim() }
    case 'end':
      checked(endSchema, value, kind)
      return { kind }
    default:
      throw new ProtocolFault(`has the unknown key ${JSON.stringify(kind)}; keys are ${kinds.join(', ')}`)
  }
}

function onlyKey(text: string): [kind: string, value: unknown] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ProtocolFault(`is not JSON: ${(error as Error).message}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ProtocolFault('is not a JSON object')
  const [entry, ...more] = Object.entries(parsed)
  if (entry === undefined || more.length > 0)
    throw new ProtocolFault(
      `has the keys ${Object.keys(parsed).join(', ') || '(none)'}; give an object with one key of ${kinds.join(', ')}`,
    )
  return entry
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, kind: string): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${[kind, ...path].join('.')}: ${message.replace(/^Invalid input: /, '')}`,
  )
  throw new ProtocolFault(problems.join('; '))
}
