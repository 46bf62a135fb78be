import type { Penalty } from './place-softly.ts'
import type { DiversityOptions } from './ssd.ts'
import { similarity, type BlockVectors } from './vectors.ts'

/**
 * Maximal marginal relevance (Carbonell and Goldstein, 1998), the simple form of diversity: the penalty is `weight` times the
 * greatest similarity with one of the last `window` picks, at least 0.
 */
export function mmrPenalty(vectors: BlockVectors, { weight, window }: DiversityOptions): Penalty {
  const last: number[] = []
  return {
    of(candidate) {
      let most = 0
      for (const placed of last) {
        const alike = similarity(vectors, candidate, placed)
        if (alike > most) most = alike
      }
      return weight * most
    },
    place(candidate) {
      last.push(candidate)
      if (last.length > window) last.shift()
    },
  }
}
