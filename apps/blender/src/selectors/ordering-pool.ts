import type { Selector } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { OrderingViews } from '../ordering/candidate-classes.ts'
import { poolFirst, poolRows, poolSizeFor } from '../ordering/pool-rows.ts'
import { poolOf, type OrderedColumns } from '../ordering/pool.ts'
import type { FeedRequest } from '../request.ts'
import type { ExplorationColumns } from '../scorers/explore.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

/** Collects the best pins for the steps of the ordering. The others follow by utility. */
export function orderingPool(
  views: OrderingViews,
): Selector<FeedRequest & UserContext, CandidateColumns & ScoreColumns & Partial<ExplorationColumns>, OrderedColumns> {
  return {
    kind: 'selector',
    name: 'ordering-pool',
    policy: 'optional',
    otherwise: (_request, { rows }) => ({ rows, columns: { ordered: null } }),
    run: (request, { columns, rows, size }) => {
      const best = poolRows(rows, columns, {
        facts: views.facts,
        ...poolSizeFor(request, request.params.ordering.pool),
      })
      const ordered = poolOf(request, columns, { rows: best, views })
      return { rows: poolFirst(rows, best, size), columns: { ordered } }
    },
  }
}
