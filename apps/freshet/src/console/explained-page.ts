import { z } from 'zod'
import type { RecordedPin } from './reorder.ts'

/** JSON has null for NaN: not known. */
const number = z.number().nullable().optional()

const explained = z.object({
  pins: z.array(
    z.object({
      pinId: z.string(),
      utility: number,
      exploration: number,
      heads: z.array(z.object({ head: z.string(), utilityPart: number })),
      ordering: z.array(z.object({ name: z.string(), value: number })),
    }),
  ),
  contributionProblem: z.string(),
})

/** The page of a feed, as an explanation has it. */
export interface ExplainedPage {
  readonly pins: readonly RecordedPin[]
  /** Why the parts of heads are not known; empty: they are. */
  readonly problem: string
}

/** Reads the JSON of `/v1/explain`. */
export function explainedPage(json: unknown): ExplainedPage {
  const { pins, contributionProblem } = explained.parse(json)
  return {
    problem: contributionProblem,
    pins: pins.map(({ pinId, utility, exploration, heads, ordering }) => ({
      pinId,
      utility: utility ?? 0,
      exploration: exploration ?? 0,
      parts: new Map(heads.map(({ head, utilityPart }) => [head, utilityPart ?? 0])),
      added: new Map(ordering.map(({ name, value }) => [name, value ?? 0])),
    })),
  }
}
