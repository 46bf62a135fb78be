import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { OrderingViews } from '../ordering/candidate-classes.ts'
import { poolOf, type OrderedColumns } from '../ordering/pool.ts'
import type { FeedRequest } from '../request.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

/** Collects the best pins for the steps of the ordering. It moves nothing. */
export function orderingPool(
  views: OrderingViews,
): Selector<FeedRequest, CandidateColumns & ScoreColumns & Partial<ExplorationColumns>, OrderedColumns> {
  return {
    kind: 'selector',
    name: 'ordering-pool',
    policy: 'optional',
    otherwise: (_request, { rows }) => ({ rows, columns: { ordered: null } }),
    run: (request, { columns, rows }) => ({ rows, columns: { ordered: poolOf(request, columns, { rows, views }) } }),
  }
}
