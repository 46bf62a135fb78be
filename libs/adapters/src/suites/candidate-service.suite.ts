import { Action, Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import {
  SourceStatus,
  type RetrieveRequest,
  type RetrieveResponse,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { callSuite, type CallSuiteOptions } from './call.suite.ts'

/** The contract of `CandidateService`. `start` puts the port in front of an answer. */
export function candidateServiceSuite(
  options: Pick<CallSuiteOptions<RetrieveRequest, RetrieveResponse>, 'name' | 'start' | 'mortal'>,
): void {
  callSuite({ ...options, request: aRetrieveRequest, response: aRetrieveResponse, seedOf: ({ limit }) => limit - 1 })
}

/** The `seed`th request, every field used. */
export function aRetrieveRequest(seed: number): RetrieveRequest {
  return {
    userId: `user-${seed}`,
    sessionId: 'session',
    surface: Surface.HOME,
    atMs: 1_700_000_000_123 + seed,
    recent: {
      pinIds: ['pin-ä', `pin-${seed}`],
      actions: Buffer.from([Action.SAVE, Action.CLICK]),
      occurredAtMs: Buffer.from(bytesOf(Float64Array.of(1_699_999_999_000.5, 1_700_000_000_000))),
      sessionIds: ['', 'session'],
      boardIds: ['board', ''],
      dwellMs: Buffer.from(bytesOf(Uint32Array.of(0xffffffff, 900))),
    },
    relatedToPinId: 'related',
    excludePinIds: ['seen-1', 'seen-2'],
    excludePinHashes: Buffer.from([1, 2, 3]),
    follows: { creatorIds: ['creator'], boardIds: [], topicIds: ['topic'] },
    blocks: { creatorIds: [], boardIds: ['blocked'], topicIds: [] },
    limit: seed + 1,
    sources: ['popularity'],
    locale: 'de-AT',
    amongPinIds: ['among'],
    await: [{ topic: 'engagements.v1', partition: seed, position: 9_007_199_254_740_991 }],
    shown: {
      seen: Buffer.from(bytesOf(Uint32Array.of(seed, 0xffffffff))),
      seenAtSeconds: Buffer.from(bytesOf(Uint32Array.of(1_700_000_000, 1_700_000_001))),
      seenBefore: [Buffer.from(bytesOf(Uint32Array.of(1, 2))), Buffer.from(bytesOf(Uint32Array.of(3)))],
      served: Buffer.from(bytesOf(Uint32Array.of(4))),
      servedAtSeconds: Buffer.from(bytesOf(Uint32Array.of(1_700_000_002))),
    },
    blockedCreatorHashes: Buffer.from(bytesOf(Uint32Array.of(seed))),
    blockedTopicHashes: Buffer.from(bytesOf(Uint32Array.of(seed + 1, 7))),
    fillTo: seed + 200,
    sweptTo: 0xffffffff - seed,
    filter: { topicIds: ['topic'], creatorIds: ['creator'], boardIds: [], createdFromMs: 1_600_000_000_000 + seed },
    withoutSources: ['trending'],
    imageEmbedding: Buffer.from(bytesOf(Float32Array.of(0.5, -seed))),
    imageOfPinId: `pin-${seed}`,
    withBoards: true,
  }
}

/** The `seed`th answer: as many candidates as a page has, so that frames are split. */
export function aRetrieveResponse(seed: number): RetrieveResponse {
  const count = 1 + ((seed * 97) % 500)
  const scores = Float32Array.from({ length: count }, (_, i) => (count - i) / 7)
  const indices = Uint16Array.from({ length: count }, (_, i) => i)
  return {
    embeddings: [{ modelId: 'pin2vec', version: `v${seed}` }],
    pinIds: Array.from({ length: count }, (_, i) => `pin-${seed}-${i}`),
    scores: Buffer.from(bytesOf(scores)),
    sources: [
      {
        source: 'popularity',
        candidateIndices: Buffer.from(bytesOf(indices)),
        scores: Buffer.from(bytesOf(scores)),
        status: SourceStatus.ANSWERED,
        seeds: Buffer.alloc(0),
      },
      {
        source: 'co-occurrence',
        candidateIndices: Buffer.alloc(0),
        scores: Buffer.alloc(0),
        status: SourceStatus.TIMED_OUT,
        seeds: Buffer.from(bytesOf(Uint16Array.of(3, 1))),
      },
    ],
    fresh: seed % 2 === 0,
    sweptTo: 0xffffffff - seed,
    exhausted: seed % 3 === 0,
    shownBefore: seed,
    catchingUp: seed % 5 === 0,
    boards: Buffer.from(bytesOf(Uint32Array.from(indices, (i) => i % 7))),
  }
}
