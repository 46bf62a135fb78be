import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Access } from '@freshet/access/access'
import type { CallRule } from '@freshet/access/rules'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { serveCandidateService } from '@freshet/adapters/grpc/candidate-service-server'
import { serveRanker } from '@freshet/adapters/grpc/ranker-server'
import { serveTrailShard } from '@freshet/adapters/grpc/trail-shard-server'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { blenderSchema } from '@freshet/blender/config'
import { createHttpApp as createFeedApp } from '@freshet/blender/server'
import { RankResponse, AttributeResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { GatherTrailsResponse, RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender } from '@freshet/contracts/ports/calls'
import { topicLayouts } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createConnectors } from '@freshet/event-ingest/connectors/connectors'
import { createIngestGrpcService } from '@freshet/event-ingest/grpc'
import { createHttpApp as createIngestApp } from '@freshet/event-ingest/http'
import type { Answer, Ingest } from '@freshet/event-ingest/ingest'
import { createByteRoom } from '@freshet/service/byte-room'
import type { GrpcService } from '@freshet/service/grpc-service'
import { createMetrics } from '@freshet/service/metrics'
import { createOperationsApp } from '@freshet/service/operations-server'
import { silentReport } from '@freshet/service/reporting'
import type { Health } from '@freshet/service/service'
import { httpSettings } from '@freshet/service/settings'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { createConsoleApp } from '../console/app.ts'
import { openConnections, type Upstream } from '../console/proxy/upstreams.ts'
import { readForeignSettings } from '../operations/foreign-letters.ts'
import type { OperatePorts } from '../console/operate/ports.ts'
import { registerOperate } from '../console/operate/register.ts'
import { consoleSettings } from '../console/settings.ts'

/** A route of an HTTP server. */
export interface ServedRoute {
  readonly method: string
  readonly path: string
  readonly rule: CallRule<never>
  /** The public port of a process with keys refuses it. */
  readonly adminPort: boolean
}

/** An HTTP server that does not listen, with its routes. */
export interface ServedApp {
  /** `public`, `admin`, `feeds`, `operations` or `console`. */
  readonly name: string
  readonly app: FastifyInstance
  readonly routes: readonly ServedRoute[]
}

/** Every server of ours, with the real routes, methods and rules, and without anything behind them: answers are empty. */
export async function serveNothing(
  access: Access,
): Promise<{ readonly apps: readonly ServedApp[]; readonly services: readonly GrpcService[] }> {
  const metrics = createMetrics()
  const clock = createSystemClock()
  const limits = z.object(httpSettings(0)).parse({})
  const { maxBodyBytes, defaultTimeoutMs: timeoutMs, maxTimeoutMs } = blenderSchema.parse({})
  const onDefect = (): void => undefined
  const nowMs = (): number => clock.now()
  const health: () => Health = () => ({ state: 'ready', ok: true, reasons: [] })

  const ingest = emptyIngest(nowMs)
  const ingestConfig = z.object(ingestSettings).parse({})
  const log = { append: async () => [] }
  const connectors = createConnectors({ ingest, log, clock, config: ingestConfig, metrics, report: silentReport })
  const ofIngest = {
    ...{ ingest, connectors, access, clock, limits, metrics },
    ...{ config: ingestConfig, origins: [], report: silentReport },
  }
  const feedOptions = { timeoutMs, maxTimeoutMs, maxBodyBytes, limits, origins: [], metrics, nowMs, onDefect }
  const apps = await Promise.all(
    [
      { name: 'public', app: createIngestApp({ ...ofIngest, adminCallsAt: 'admin port' }) },
      { name: 'admin', app: createIngestApp(ofIngest) },
      { name: 'feeds', app: createFeedApp({ blender: emptyBlender, access, ...feedOptions }) },
      {
        name: 'operations',
        app: createOperationsApp({
          ...{ name: 'freshet', version: '', liveness: health, readiness: health, metrics, access, config: {} },
          inspections: () => [{ path: '/v1/users/{id}/state', answer: async () => ({}) }],
        }),
      },
      { name: 'console', app: emptyConsole(access, await emptyOperate()) },
    ].map(async ({ name, app }) => {
      await app.ready()
      return { name, app, routes: app.accessRoutes }
    }),
  )
  const calls = { onDefect }
  const { maxStreamBatches } = ingestConfig
  const services = [
    createIngestGrpcService(ingest, { metrics, report: silentReport, maxStreamBatches }),
    serveBlender(emptyBlender, calls),
    serveCandidateService({ retrieve: async () => RetrieveResponse.fromPartial({}) }, calls),
    serveTrailShard({ gatherTrails: async () => GatherTrailsResponse.fromPartial({}) }, calls),
    serveRanker(
      { rank: async () => RankResponse.fromPartial({}), attribute: async () => AttributeResponse.fromPartial({}) },
      calls,
    ),
  ]
  return { apps, services }
}

const emptyBlender = Object.fromEntries(
  Object.entries(blenderMethods).map(([name, { response }]) => [name, async () => response.fromJSON({})]),
) as unknown as Blender

function emptyConsole(access: Access, operate: OperatePorts): FastifyInstance {
  const upstream: Upstream = { name: '', url: 'http://127.0.0.1' }
  return createConsoleApp({
    access,
    config: z.object(consoleSettings(0)).parse({}),
    version: '',
    upstreams: {
      ...{ events: upstream, feeds: upstream, admin: upstream },
      operations: new Map([['users', upstream]]),
    },
    forward: async (_to, _path, _request, reply) => reply.send({}),
    ask: async () => ({ pins: [], contributionProblem: '' }),
    page: async () => ({ files: new Map() }),
    demo: null,
    more: [(app) => void registerOperate(app, operate)],
    metrics: createMetrics(),
    nowMs: () => 0,
    onDefect: () => undefined,
    tls: null,
  })
}

/** Without records and services, and with every topic. */
async function emptyOperate(): Promise<OperatePorts> {
  const clock = createSystemClock()
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(1))
  return {
    log,
    clock,
    services: [],
    connections: openConnections(null),
    models: null,
    experimentsFile: null,
    foreign: readForeignSettings({}, {}),
    blender: blenderSchema.parse({}),
    openDestination: null,
    imports: { folder: join(tmpdir(), 'freshet-keys-matrix'), newId: () => 'upload', pause: () => Promise.resolve() },
    room: createByteRoom(1 << 20, () => 0),
    onError: () => undefined,
  }
}

function emptyIngest(nowMs: () => number): Ingest {
  const answer: Answer = {
    kind: 'taken',
    receipts: [{ id: '', token: '' }],
    accepted: 1,
    receivedAtMs: 0,
    notice: '',
  }
  const take = async (): Promise<Answer> => answer
  return {
    takePlain: () => Promise.resolve(null),
    takeEngagements: take,
    takeMapped: take,
    takePins: take,
    takeCreators: take,
    takeBoards: take,
    mergeUsers: take,
    eraseUser: take,
    admit: () => Promise.resolve(null),
    isErased: () => false,
    inFlight: createByteRoom(1 << 20, nowMs),
  }
}
