import { hash32 } from '@freshet/domain/hash'
import { placesDescending } from '@freshet/ordering/descending'
import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import { pickFloats } from '../pick.ts'
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
  const drawn = pickFloats(utilities, rows)
  if (exploration != null) for (let i = 0; i < rows.length; i++) drawn[i] = drawn[i]! + exploration[rows[i]!]!
  const places = placesDescending(drawn)
  const best = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) best[i] = rows[places[i]!]!
  const tie = (row: number) => hash32(pinIds[row] as string, seed)
  for (let from = 0, to = 1; from < rows.length; from = to++) {
    while (to < rows.length && drawn[places[to]!] === drawn[places[from]!]) to++
    if (to - from > 1) best.subarray(from, to).sort((a, b) => tie(a) - tie(b) || a - b)
  }
  return best
}
