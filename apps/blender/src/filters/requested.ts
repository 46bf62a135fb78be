import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { isNarrow } from '../request-filter.ts'

/** Who has checked that the pins are on the boards that the request names: the candidate service, or nobody. */
export type BoardCheck = 'by-source' | 'unchecked'

/**
 * Removes what the request's own filter leaves out. The blender does not know which pins are on a board: if nobody has
 * checked it, a request with boards gets no pin.
 */
export function requestedFilter(
  { facts }: Pick<StagePorts, 'facts'>,
  boards: BoardCheck,
): Filter<Pick<FeedRequest, 'surface' | 'filter'>, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'requested',
    policy: 'fail-closed',
    reasons: ['excluded', 'seen-elsewhere', 'board-unchecked', 'other-creator', 'other-topic', 'too-old'],
    prepare: ({ surface, filter }, columns) => {
      const { exclude, seen, topics, creators, createdFromMs } = filter
      const isAllowed = isNarrow(filter)
      if (!isAllowed && exclude.size === 0 && seen.size === 0) return null
      const isUnchecked = boards === 'unchecked' && filter.boardIds.length > 0
      const createdFrom = createdFromMs === null ? 0 : Math.max(1, Math.floor(createdFromMs / 1000))
      const factRows = facts.rowsOf(columns.keys)
      return (row) => {
        const pinId = columns.pinIds[row] as string
        if (exclude.has(pinId)) return 0
        if (seen.has(pinId) && (surface !== 'home' || columns.shownBefore[row] !== 1)) return 1
        if (!isAllowed) return keep
        if (isUnchecked) return 2
        const fact = factRows[row] as number
        if (creators.size > 0 && (fact < 0 || !creators.has(facts.creatorOf(fact)))) return 3
        if (topics.size > 0 && (fact < 0 || !facts.hasTopicOf(fact, topics))) return 4
        return createdFrom > 0 && (fact < 0 || facts.createdAtSecondsOf(fact) < createdFrom) ? 5 : keep
      }
    },
  }
}
