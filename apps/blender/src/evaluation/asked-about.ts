import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { EvaluatedRequest } from './evaluated-request.ts'

/** Removes pins that an evaluation excludes, and pins that are not in its list of allowed pins. */
export function askedAboutFilter(): Filter<EvaluatedRequest, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'asked-about',
    policy: 'fail-closed',
    reasons: ['excluded', 'not-among'],
    prepare: ({ evaluation: { exclude, among } }, { pinIds }) => {
      if (exclude.size === 0 && among.length === 0) return () => keep
      const wanted = new Set(among)
      return (row) => {
        const pinId = pinIds[row] as string
        if (exclude.has(pinId)) return 0
        return wanted.size > 0 && !wanted.has(pinId) ? 1 : keep
      }
    },
  }
}
