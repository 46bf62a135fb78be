import { lastGoodScope } from '@freshet/contracts/scopes'
import type { SideEffect } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import { encodeLastGood, toLastGood } from '../last-good.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { isNarrow } from '../request-filter.ts'
import { recordsServed } from '../selectors/page.ts'
import type { ScoreColumns } from '../scorers/rank.ts'

/** Keeps the order as the user's last good feed: always in memory, and from time to time in the state store. The answer does not wait for that write. */
export function keepLastGood({
  store,
  users,
  memory,
  clock,
  config,
  observer,
}: Pick<StagePorts, 'store' | 'users' | 'memory' | 'clock' | 'config' | 'observer'>): SideEffect<
  FeedRequest,
  CandidateColumns & ScoreColumns
> {
  return {
    kind: 'side-effect',
    name: 'keep-last-good',
    policy: 'optional',
    run: (request, { columns, rows }) => {
      // A feed that the request restricted would be a bad answer to other requests.
      if (isNarrow(request.filter) || request.onlySources.length > 0) return
      if (!recordsServed(request) || columns.ranked === null || rows.length === 0) return
      const { userId } = request
      const good = toLastGood(columns, columns.utilities, rows, config.lastGoodPins)
      const when = { nowMs: clock.now(), intervalMs: config.lastGoodIntervalMs }
      if (!memory.keepGood(userId, good, when)) return
      const value = encodeLastGood(good)
      store
        .put(
          lastGoodScope,
          users.partitionOf(userId),
          { key: userId, value, ttlMs: config.lastGoodTtlMs },
          { lingerMs: config.unwrittenLingerMs },
        )
        .catch((error: unknown) => {
          observer.failed('last-good', error)
        })
    },
  }
}
