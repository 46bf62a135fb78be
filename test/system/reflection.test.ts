import { openAccess } from '@freshet/access/access'
import { silentReport } from '@freshet/service/reporting'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { serveCandidateService } from '@freshet/adapters/grpc/candidate-service-server'
import { serveRanker } from '@freshet/adapters/grpc/ranker-server'
import { serveTrailShard } from '@freshet/adapters/grpc/trail-shard-server'
import { readDescriptors } from '@freshet/contracts/descriptors'
import {
  ExplainFeedResponse,
  GetCapabilitiesResponse,
  GetFeedResponse,
  GetPinsResponse,
  GetRelatedPinsResponse,
  RankPinsResponse,
  SearchByImageResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { GatherTrailsResponse, RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { createIngestGrpcService } from '@freshet/event-ingest/grpc'
import type { Answer, Ingest } from '@freshet/event-ingest/ingest'
import { startGrpcServer } from '@freshet/service/grpc-server'
import type { GrpcService } from '@freshet/service/grpc-service'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings } from '@freshet/service/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { reflected } from '../harness/buf-curl.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const defects: unknown[] = []
const calls = { onDefect: (error: unknown) => void defects.push(error), defaultTimeoutMs: 5_000 }

const stage = { stage: 'seen', candidatesIn: 3, candidatesOut: 1, removed: { SEEN: 2 } }
const blender = serveBlender(
  {
    getFeed: async ({ userId }) => GetFeedResponse.fromPartial({ feedId: userId, stages: [stage] }),
    getRelatedPins: async ({ pinId }) => GetRelatedPinsResponse.fromPartial({ feedId: pinId, stages: [stage] }),
    rankPins: async () => RankPinsResponse.create(),
    getPins: async () => GetPinsResponse.create(),
    searchByImage: async () => SearchByImageResponse.create(),
    explainFeed: async () => ExplainFeedResponse.create(),
    getCapabilities: async () => GetCapabilitiesResponse.create(),
  },
  calls,
)
const taken = (id: string, token: string) => async (): Promise<Answer> => ({
  kind: 'taken',
  receipts: [{ id, token }],
  accepted: 1,
  receivedAtMs: 1,
  notice: '',
})
const ingest: Pick<Ingest, 'takeEngagements' | 'takePins' | 'takeCreators' | 'takeBoards' | 'mergeUsers'> = {
  takeEngagements: taken('e', 'e1-1'),
  takePins: taken('p', 'p1-1'),
  takeCreators: taken('c', 'c1-1'),
  takeBoards: taken('b', 'b1-1'),
  mergeUsers: taken('u', 'e1-2'),
}

const servers: readonly (readonly [string, readonly GrpcService[], readonly string[]])[] = [
  [
    'event-ingest',
    [
      createIngestGrpcService(ingest as Ingest, {
        metrics: createMetrics(),
        report: silentReport,
        maxStreamBatches: 8,
      }),
    ],
    ['freshet.ingest.v1.EventIngest'],
  ],
  [
    'candidate-service',
    [
      serveCandidateService({ retrieve: async () => RetrieveResponse.create() }, calls),
      serveTrailShard({ gatherTrails: async () => GatherTrailsResponse.create() }, calls),
    ],
    ['freshet.retrieval.v1.CandidateService', 'freshet.retrieval.v1.TrailShard'],
  ],
  ['ranker', [serveRanker({ rank: async () => RankResponse.create() }, calls)], ['freshet.ranking.v1.Ranker']],
  ['blender', [blender], ['freshet.blending.v1.Blender']],
]

async function start(services: readonly GrpcService[]): Promise<number> {
  const server = await startGrpcServer({
    access: openAccess,
    ...z.object(grpcSettings(0)).parse({}),
    services,
    descriptors: readDescriptors(),
    metrics: createMetrics(),
  })
  closing.push(() => server.close())
  server.setServing(true)
  return server.port
}

const standard = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
]

describe('A28 · gRPC reflection for tools that know nothing else', () => {
  it.each(servers)('lists every service of %s, and calls each method', async (_name, services, own) => {
    const port = await start(services)
    for (const protocol of ['grpc-v1', 'grpc-v1alpha'] as const) {
      expect(await reflected(port, protocol).services()).toEqual([...own, ...standard])
    }
    const server = reflected(port)
    const methods = await server.methods()
    for (const service of own) expect(methods.some((method) => method.startsWith(`${service}/`))).toBe(true)
    expect(methods).toContain('grpc.health.v1.Health/Check')
    for (const method of methods.filter((each) => own.some((service) => each.startsWith(`${service}/`)))) {
      await server.call(method)
    }
    for (const service of ['', ...own]) {
      expect(await server.call('grpc.health.v1.Health/Check', { service })).toEqual({ status: 'SERVING' })
    }
    expect(defects).toEqual([])
  })

  it('reads maps', async () => {
    const server = reflected(await start([blender]))
    const answer = await server.call('freshet.blending.v1.Blender/GetFeed', { userId: 'ada' })
    expect(answer).toMatchObject({ feedId: 'ada', stages: [{ stage: 'seen', removed: { SEEN: 2 } }] })
  })

  it('says what is wrong where a service or field does not exist', async () => {
    const server = reflected(await start([blender]))
    await expect(server.call('freshet.blending.v1.Blender/GetFeeds')).rejects.toThrow(/GetFeeds/)
    await expect(server.call('freshet.ingest.v1.EventIngest/PostPins')).rejects.toThrow(/EventIngest/)
    await expect(server.call('freshet.blending.v1.Blender/GetFeed', { colour: 'red' })).rejects.toThrow(/colour/)
  })
})
