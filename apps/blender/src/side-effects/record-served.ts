import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import { servedScope } from '@freshet/contracts/scopes'
import type { SideEffect } from '@freshet/pipeline/stage'
import { notSwept, type CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { encodeServed } from '../served-set.ts'
import { recordsServed } from '../selectors/page.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/** Records the pins of the page and the position of the sweep before the answer. */
export function recordServed({
  store,
  users,
  config,
}: Pick<StagePorts, 'store' | 'users' | 'config'>): SideEffect<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'side-effect',
    name: 'record-served',
    policy: 'optional',
    budget: ({ params }) => ({ ms: params.recordBudgetMs, share: 0.8 }),
    run: (request, { columns: { keys, sweep }, rows }, { signal }) => {
      const { userId, atMs, served } = request
      const sweptTo = sweep === notSwept || sweep.sweptTo === served.sweptTo ? null : sweep.sweptTo
      if (!recordsServed(request) || (rows.length === 0 && sweptTo === null)) return
      return store.append(
        servedScope,
        users.partitionOf(userId),
        userId,
        encodeServed(keys, rows, atMs, sweptTo),
        { maxBytes: config.maxServedPins * servedEntryBytes, ttlMs: config.servedWindowMs },
        { signal },
      )
    },
  }
}
