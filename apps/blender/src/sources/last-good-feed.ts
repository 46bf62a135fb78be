import { lastGoodScope } from '@freshet/contracts/scopes'
import type { Found, Source } from '@freshet/pipeline/stage'
import { toCandidates, noCandidates, type CandidateColumns } from '../candidates.ts'
import type { FallbackRequest } from '../hydrators/remembered-user.ts'
import { decodeLastGood } from '../last-good.ts'
import type { StagePorts } from '../ports.ts'

/** The user's last good feed: from memory, else from the state store. */
export function lastGoodFeed({
  memory,
  store,
  users,
}: Pick<StagePorts, 'memory' | 'store' | 'users'>): Source<FallbackRequest, CandidateColumns> {
  return {
    kind: 'source',
    name: 'last-good',
    policy: 'required',
    budget: { ms: 1_000, share: 0.4 },
    run: ({ userId, learned }, { signal }) => {
      const good = memory.lastGood(userId)
      if (good !== null) return toCandidates(good.pinIds, good.scores, good)
      // The state store did not answer the first time, so do not ask it again.
      if (learned === null) return noCandidates()
      return store.read(lastGoodScope, users.partitionOf(userId), [userId], { signal }).then(({ values }) => {
        const bytes = values[0] ?? null
        return bytes === null ? noCandidates() : fromBytes(bytes)
      })
    },
  }
}

function fromBytes(bytes: Uint8Array): Found<CandidateColumns> {
  const good = decodeLastGood(bytes)
  return good === null ? noCandidates() : toCandidates(good.pinIds, good.scores, good)
}
