import type { Source } from '@freshet/pipeline/stage'
import { noCandidates, toCandidates, type CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'
import { sourcesOf } from '../source-columns.ts'
import type { SessionContext } from './session-state.ts'

/** The pins of the session's reserve, with the utilities that they were ranked with. */
export function fromReserve(): Source<
  UserContext & SessionContext,
  CandidateColumns & ScoreColumns & ExplorationColumns
> {
  return {
    kind: 'source',
    name: 'reserve',
    policy: 'required',
    run: ({ reserve, served: { sweptTo } }) => {
      if (reserve === null) {
        const { columns, size } = noCandidates()
        return { size, columns: { ...columns, utilities: columns.retrievalScores, ranked: null, exploration: null } }
      }
      const { pinIds, retrievalScores, utilities, exploration, exhausted, found, sourceNames } = reserve
      // Even if the page turns out short, the session goes on: the next page retrieves again.
      const sweep = { sweptTo, exhausted, unfinished: true }
      const { columns, size } = toCandidates(pinIds, retrievalScores, {
        ...reserve,
        foundBy: found.foundBy,
        foundBySource: sourcesOf(sourceNames, found),
        sweep,
      })
      return { size, columns: { ...columns, utilities, exploration, ranked: null } }
    },
  }
}
