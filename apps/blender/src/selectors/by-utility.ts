import { hash32 } from '@freshet/domain/hash'
import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { FeedRequest } from '../request.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

type Columns = Pick<CandidateColumns, 'pinIds'> & Pick<ScoreColumns, 'utilities'> & Partial<ExplorationColumns>

/** Orders by utility and what exploration added to it, best first. */
export function byUtility(): Selector<
  Pick<FeedRequest, 'params'>,
  CandidateColumns & ScoreColumns & Partial<ExplorationColumns>
> {
  return {
    kind: 'selector',
    name: 'by-utility',
    policy: 'required',
    run: ({ params: { seed } }, { columns, rows }) => ({ rows: bestFirst(rows, columns, seed) }),
  }
}

/** Rows by utility and what exploration added to it, best first. A seeded hash of the pin id breaks ties, so that the order depends on nothing else. */
export function bestFirst(rows: Int32Array, { utilities, pinIds, exploration }: Columns, seed: number): Int32Array {
  const drawn = exploration == null ? utilities : utilities.map((utility, row) => utility + exploration[row]!)
  const tie = (row: number) => hash32(pinIds[row] as string, seed)
  return rows.slice().sort((a, b) => (drawn[b] as number) - (drawn[a] as number) || tie(a) - tie(b) || a - b)
}
