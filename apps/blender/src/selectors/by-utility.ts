import { hash32 } from '@freshet/domain/hash'
import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

/** Best first; of equal utility by a seeded hash of the pin id, so that the order is total and depends on nothing else. */
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
