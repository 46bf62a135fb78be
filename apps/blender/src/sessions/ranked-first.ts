import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'
import { bestFirst } from '../selectors/by-utility.ts'

/**
 * Puts the pins that were ranked again first, by utility. The others follow in the order of the reserve: utilities of another time,
 * perhaps of another model, do not compare.
 */
export function rankedFirst(): Selector<
  Pick<FeedRequest, 'params'>,
  CandidateColumns & ScoreColumns & ExplorationColumns
> {
  return {
    kind: 'selector',
    name: 'ranked-first',
    policy: 'required',
    run: ({ params: { seed } }, { columns, rows }) => {
      const { ranked } = columns
      if (ranked === null) return { rows }
      const { places } = ranked
      const ordered = new Int32Array(rows.length)
      const head = bestFirst(
        rows.filter((row) => places[row] !== -1),
        columns,
        seed,
      )
      ordered.set(head)
      ordered.set(
        rows.filter((row) => places[row] === -1),
        head.length,
      )
      return { rows: ordered }
    },
  }
}
