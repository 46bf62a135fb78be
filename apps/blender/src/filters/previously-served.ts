import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/** Removes pins that the home feed served to the user within the window. Removes a repeat only if a page of this feed already showed it. */
export function previouslyServedFilter(): Filter<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'previously-served',
    policy: 'fail-closed',
    reasons: ['served'],
    prepare: ({ surface, served, page: { firstPosition, startedAtMs } }, { keys, shownBefore }) => {
      if (surface !== 'home' || served.size === 0) return null
      const againBefore = firstPosition === 0 ? Infinity : Math.floor(startedAtMs / 1000)
      return (row) => {
        const atSeconds = served.atSeconds(keys.high[row] as number, keys.low[row] as number)
        if (atSeconds === 0) return keep
        return shownBefore[row] === 1 && atSeconds < againBefore ? keep : 0
      }
    },
  }
}
