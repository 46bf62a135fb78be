import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { RankRequest, RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { callSuite, type CallSuiteOptions } from './call.suite.ts'

/** The contract of `Ranker`. `start` puts the port in front of an answer. */
export function rankerSuite(
  options: Pick<CallSuiteOptions<RankRequest, RankResponse>, 'name' | 'start' | 'mortal'>,
): void {
  callSuite({
    ...options,
    request: aRankRequest,
    response: aRankResponse,
    seedOf: ({ userId }) => Number(userId.slice('user-'.length)),
  })
}

/** The `seed`th request, every field used. */
function aRankRequest(seed: number): RankRequest {
  return {
    userId: `user-${seed}`,
    surface: Surface.RELATED,
    atMs: 1_700_000_000_123 + seed,
    userState: Buffer.from([8, 1, 0, 255, seed]),
    pinIds: ['pin-ä', `pin-${seed}`],
    retrievalScores: Buffer.from(bytesOf(Float32Array.of(0.5, -seed))),
    relatedToPinId: 'related',
    withFeatures: true,
    await: [{ topic: 'pins.v1', partition: 3, position: seed }],
    locale: 'pt-BR',
    sessionId: `session-${seed}`,
    retrievalRanks: Buffer.from(bytesOf(Uint16Array.of(0, seed))),
    sources: ['pin2vec', 'trending'],
    foundBy: Buffer.from(bytesOf(Uint32Array.of(3, 1))),
    sourceRanks: Buffer.from(bytesOf(Uint16Array.of(0, 2, seed))),
    sourceScores: Buffer.from(bytesOf(Float32Array.of(0.5, 0.25, -seed))),
    modelVersion: `model-${seed}`,
    headFactors: { heads: ['save'], factors: Buffer.from(bytesOf(Float32Array.of(1.25))) },
  }
}

/** The `seed`th answer: up to 500 candidates with 32 features, 64 KB, so that frames are split. */
function aRankResponse(seed: number): RankResponse {
  const count = 1 + ((seed * 97) % 500)
  const column = (width: number) =>
    Buffer.from(bytesOf(Float32Array.from({ length: count * width }, (_, i) => Math.sin(seed + i))))
  return {
    utilities: column(1),
    actions: ['click', 'save'],
    probabilities: column(2),
    featureNames: Array.from({ length: 32 }, (_, i) => `feature_${i}`),
    features: column(32),
    modelVersion: `model-${seed}`,
    planVersion: `plan-${seed}`,
    utilityDeviations: seed % 2 === 0 ? Buffer.alloc(0) : column(1),
    fresh: seed % 2 === 0,
    facts: [{ name: 'pin.topics', texts: ['art', 'food'], counts: Buffer.from(bytesOf(Uint16Array.of(2, 0))) }],
    exposedNames: ['lift'],
    exposed: column(1),
    amountNames: ['dwell'],
    amounts: column(1),
    headFactors: { heads: ['save'], factors: Buffer.from(bytesOf(Float32Array.of(1.25))) },
  }
}
