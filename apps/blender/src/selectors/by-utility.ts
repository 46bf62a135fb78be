import { hash32 } from '@freshet/domain/hash'
import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

/** Orders by utility, best first. A seeded hash of the pin id breaks ties, so that the order depends on nothing else. */
export function byUtility(): Selector<Pick<FeedRequest, 'params'>, CandidateColumns & ScoreColumns> {
  return {
    kind: 'selector',
    name: 'by-utility',
    policy: 'required',
    run: ({ params: { seed } }, { columns: { utilities, pinIds }, rows }) => {
      const tie = (row: number) => hash32(pinIds[row] as string, seed)
      return {
        rows: rows
          .slice()
          .sort((a, b) => (utilities[b] as number) - (utilities[a] as number) || tie(a) - tie(b) || a - b),
      }
    },
  }
}
