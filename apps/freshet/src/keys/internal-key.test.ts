import { createCandidateServiceClient } from '@freshet/adapters/grpc/candidate-service-client'
import { createRankerClient } from '@freshet/adapters/grpc/ranker-client'
import { createTrailShardClient } from '@freshet/adapters/grpc/trail-shard-client'
import { AttributeRequest, RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { GatherTrailsRequest, RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings } from '@freshet/service/settings'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callersOf } from './callers.fixture.ts'
import { serveNothing } from './served.ts'

let callers: Awaited<ReturnType<typeof callersOf>>
let address = ''
const closing: (() => unknown)[] = []

beforeAll(async () => {
  callers = await callersOf()
  const { services } = await serveNothing(callers.access)
  const { port, close } = await startGrpcServer({
    ...z.object(grpcSettings(0)).parse({}),
    ...{ services, access: callers.access, descriptors: null, metrics: createMetrics() },
  })
  address = `127.0.0.1:${port}`
  closing.push(() => callers.access.close(), close)
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

describe('calls between services', () => {
  const call = { timeoutMs: 3_000 }

  /** What the clients of a service with this key get, over their streams and by a unary call. */
  async function ask(key: string | null): Promise<readonly string[]> {
    const config = { address, key: () => key }
    const candidates = createCandidateServiceClient(config)
    const shard = createTrailShardClient(config)
    const ranker = createRankerClient(config)
    const outcome = (answer: Promise<unknown>): Promise<string> =>
      answer.then(
        () => 'answered',
        (error: unknown) => (error as { readonly code: string }).code,
      )
    try {
      return await Promise.all([
        outcome(candidates.retrieve(RetrieveRequest.fromPartial({}), call)),
        outcome(shard.gatherTrails(GatherTrailsRequest.fromPartial({}), call)),
        outcome(ranker.rank(RankRequest.fromPartial({}), call)),
        outcome(ranker.attribute(AttributeRequest.fromPartial({}), call)),
      ])
    } finally {
      for (const client of [candidates, shard, ranker]) client.close()
    }
  }

  it('are answered with the internal key', async () => {
    expect(await ask(callers.keys.internal.text)).toEqual(['answered', 'answered', 'answered', 'answered'])
  })

  it('are refused without it, and with the key of an operator or a server', async () => {
    for (const key of [null, callers.keys.admin.text, callers.keys.write.text, callers.keys.expired.text])
      expect((await ask(key)).filter((outcome) => outcome === 'answered')).toEqual([])
  })
})
