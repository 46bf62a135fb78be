import { lastGoodScope } from '@freshet/contracts/scopes'
import type { Found, Source } from '@freshet/pipeline/stage'
import { candidatesOf, type CandidateColumns } from '../candidates.ts'
import { decodeLastGood } from '../last-good.ts'
import type { StagePorts } from '../ports.ts'
import type { FallbackRequest } from './user-state.ts'

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
      if (good !== null) return candidatesOf(good.pinIds, good.scores, good)
      // A state store that did not answer the first time is not asked again.
      if (learned === null) return nothing()
      return store.read(lastGoodScope, users.partitionOf(userId), [userId], { signal }).then(({ values }) => {
        const bytes = values[0] ?? null
        return bytes === null ? nothing() : fromBytes(bytes)
      })
    },
  }
}

/** What is popular, from this process's memory. */
export function popularFeed({ popular }: Pick<StagePorts, 'popular'>): Source<FallbackRequest, CandidateColumns> {
  return {
    kind: 'source',
    name: 'popular',
    policy: 'required',
    run: ({ locale }) => {
      const pins = popular.of(locale)
      if (pins === null) return nothing()
      const foundBy = new Uint32Array(pins.pinIds.length).fill(1)
      return candidatesOf(pins.pinIds, pins.scores, { sourceNames: ['popular-memory'], foundBy })
    },
  }
}

function nothing(): Found<CandidateColumns> {
  return candidatesOf([], new Float32Array(0))
}

function fromBytes(bytes: Uint8Array): Found<CandidateColumns> {
  const good = decodeLastGood(bytes)
  return good === null ? nothing() : candidatesOf(good.pinIds, good.scores, good)
}
