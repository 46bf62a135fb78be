import type { Hits } from '@freshet/columns/score-board'
import { uninterrupted, type Interruption } from '../../interruption.ts'
import type { Source, SourceQuery } from '../../source.ts'
import { createStarts, flatStarts, rowsOf, type Starts, type StartsOptions } from './starts.ts'
import { createVariants } from './variants.ts'

/** Answers a query from these starts, which it fills. */
export type AnswerFrom = (starts: Starts, query: SourceQuery, hits: Hits, interruption: Interruption) => void

/**
 * A source that starts at the user's recent pins. Its only state is how much the latest pins count against the rest, which
 * it chooses by the starts that have been right.
 */
export function createAdaptiveSource(name: string, options: StartsOptions, answer: AnswerFrom): Source {
  const starts = [createStarts(options), createStarts(flatStarts(options))]
  const variants = createVariants(starts.length, (variant, query, hits) => {
    answer(starts[variant]!, query, hits, uninterrupted)
  })
  return {
    name,
    startedFrom: () => rowsOf(starts[variants.chosen]!),
    adaptation: variants,
    query: (query, hits, interruption) => answer(starts[variants.chosen]!, query, hits, interruption),
    bytes: () => 0,
    counts: () => ({ variant: variants.chosen }),
    save: variants.save,
    load: variants.load,
  }
}
