import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'

/** Removes what the request excludes, what is not among the pins it asks about, and the pin that related ones are asked for. */
export function excludedFilter(): Filter<FeedRequest, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'excluded',
    policy: 'fail-closed',
    reasons: ['excluded', 'not-among', 'itself'],
    prepare: ({ exclude, among, relatedToPinId }, { pinIds }) => {
      if (exclude.size === 0 && among.length === 0 && relatedToPinId === '') return () => keep
      const wanted = new Set(among)
      return (row) => {
        const pinId = pinIds[row] as string
        if (exclude.has(pinId)) return 0
        if (wanted.size > 0 && !wanted.has(pinId)) return 1
        return pinId === relatedToPinId ? 2 : keep
      }
    },
  }
}
