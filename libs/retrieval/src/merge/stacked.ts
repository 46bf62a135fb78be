import type { Catalogue } from '../views/catalogue.ts'
import type { EnabledSource } from '../query/enabled-sources.ts'
import type { Features } from './features.ts'
import { mixHits, type MergeContext } from './merge.ts'
import { bestRows, scratchScores, type Hits } from '@freshet/columns/score-board'
import type { Stack } from './stack.ts'

/** What the stacked merge works with. */
export interface StackedContext extends MergeContext {
  readonly stack: Stack
  readonly features: Features
  /** The number of the user's recent pins. */
  readonly recentCount: number
}

/** A score further below the best one than this makes no difference. */
const deepest = 80

/** Merges answers by the learned stack; the scores are probabilities over the union. */
export function createStacked(catalogue: Catalogue, mostCandidates: number) {
  const scores = new Float64Array(mostCandidates)
  return {
    /** Fills `hits` with the best `limit` of the union, best first. */
    merge(
      answers: readonly EnabledSource[],
      context: StackedContext,
      { limit, hits }: { readonly limit: number; readonly hits: Hits },
    ): void {
      const { stack, features, recentCount, liking = null } = context
      mixHits(answers, context)
      features.score(answers, { recentCount, weights: stack.weights, scores })
      const { count } = features
      let most = -Infinity
      for (let i = 0; i < count; i++) most = Math.max(most, scores[i]!)
      let total = 0
      for (let i = 0; i < count; i++) total += scores[i] = Math.exp(Math.max(-deepest, scores[i]! - most))
      const { rows } = features
      const merged = scratchScores(count)
      if (liking === null) for (let i = 0; i < count; i++) merged[i] = scores[i]! / total
      else for (let i = 0; i < count; i++) merged[i] = (scores[i]! / total) * liking(rows[i]!)
      bestRows(catalogue, { rows, scores: merged, count }, { limit, accept: always, hits })
    },
  }
}

function always(): boolean {
  return true
}
