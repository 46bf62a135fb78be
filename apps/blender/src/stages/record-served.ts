import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import { servedScope } from '@freshet/contracts/scopes'
import type { SideEffect } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { encodeServed } from '../served-set.ts'
import { recordsServed } from './page.ts'

/** Writes down what the page shows, before the answer. */
export function recordServed({
  store,
  users,
  config,
}: Pick<StagePorts, 'store' | 'users' | 'config'>): SideEffect<FeedRequest, CandidateColumns> {
  return {
    kind: 'side-effect',
    name: 'record-served',
    policy: 'optional',
    budget: { ms: config.recordBudgetMs, share: 0.8 },
    run: (request, { columns: { keys }, rows }, { signal }) => {
      if (!recordsServed(request) || rows.length === 0) return
      const { userId, atMs } = request
      return store.append(
        servedScope,
        users.partitionOf(userId),
        userId,
        encodeServed(keys, rows, atMs),
        { maxBytes: config.maxServedPins * servedEntryBytes, ttlMs: config.servedWindowMs },
        { signal },
      )
    },
  }
}
