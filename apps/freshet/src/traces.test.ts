import { openAccess } from '@freshet/access/access'
import { createCandidateServiceClient } from '@freshet/adapters/grpc/candidate-service-client'
import { serveCandidateService } from '@freshet/adapters/grpc/candidate-service-server'
import { createRankerClient } from '@freshet/adapters/grpc/ranker-client'
import { serveRanker } from '@freshet/adapters/grpc/ranker-server'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { tracedBlender, tracedCandidateService, tracedRanker } from '@freshet/adapters/tracing/traced-calls'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import { writingAs } from '@freshet/contracts/origin'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Pin } from '@freshet/domain/pin'
import { aCataloguePin } from '@freshet/domain/testing'
import type { Tracing } from '@freshet/domain/tracing'
import { createFeedObserver } from '@freshet/blender/feed-metrics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createConnectors } from '@freshet/event-ingest/connectors/connectors'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { tracedIngest } from '@freshet/event-ingest/traced-ingest'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { startGrpcServer } from '@freshet/service/grpc-server'
import type { GrpcService } from '@freshet/service/grpc-service'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { grpcSettings, httpSettings } from '@freshet/service/settings'
import { until } from '@freshet/service/testing'
import { startCollector, type CollectedSpan } from '@freshet/service/tracing/collector.fixture'
import { openTracing } from '@freshet/service/tracing/open-tracing'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createEmbedded } from './embedded.ts'
import { memoryPlatform } from './memory-platform.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const callerSpan = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${callerSpan}-01`
const userId = 'user-4711-of-the-test'
const pinId = 'pin-4711-of-the-test'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Serves over gRPC at a free port. */
async function served(service: GrpcService): Promise<string> {
  const config = z.object(grpcSettings(0)).parse({ port: 0 })
  const server = await startGrpcServer({
    ...config,
    ...{ access: openAccess, descriptors: null, metrics: createMetrics(), services: [service] },
  })
  closing.push(() => server.close())
  return `127.0.0.1:${server.port}`
}

/** All services on a log in memory: the candidate service and the ranker answer over gRPC, each with traces of its own. */
async function aTracedSystem(given: { readonly sampleRatio?: number; readonly trustCallers?: boolean } = {}) {
  const collector = await startCollector()
  closing.push(() => collector.close())
  const opened: { close(): Promise<void> }[] = []
  const clock = createSystemClock()
  const tracingOf = async (name: string): Promise<Tracing> => {
    const tracing = await openTracing({
      ...{ name, version: '1', instance: name, metrics: createMetrics(), report: silentReport, clock },
      config: { endpoint: collector.endpoint, sampleRatio: 0, trustCallers: true, ...given },
    })
    opened.push(tracing)
    return tracing
  }
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(2))
  const tracing = await tracingOf('freshet')
  let candidates: CandidateService | null = null
  let ranker: Ranker | null = null
  const direct: { candidates?: CandidateService; ranker?: Ranker } = {}
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const embedded = createEmbedded({
    platform: memoryPlatform({ log, store: createMemoryStateStore({ clock }), clock }),
    models,
    config: { trainer: null, blender: { showUnlistedPins: true } },
    pause: () => Promise.resolve(),
    tracing,
    feedObserver: createFeedObserver(createMetrics(), silentReport, tracing),
    onError: () => undefined,
    wrapCandidates: (own) => {
      direct.candidates = own
      return { retrieve: (request, call) => candidates!.retrieve(request, call) }
    },
    wrapRanker: (own) => {
      direct.ranker = own
      return { rank: (request, call) => ranker!.rank(request, call) }
    },
  })
  const onDefect = (): void => undefined
  const ofCandidates = tracedCandidateService(direct.candidates!, await tracingOf('candidate-service'), 'server')
  const ofRanker = tracedRanker(direct.ranker!, await tracingOf('ranker'), 'server')
  const remote = createCandidateServiceClient({
    address: await served(serveCandidateService(ofCandidates, { onDefect })),
  })
  const remoteRanker = createRankerClient({ address: await served(serveRanker(ofRanker, { onDefect })) })
  closing.push(
    () => remote.close(),
    () => remoteRanker.close(),
  )
  candidates = remote
  ranker = remoteRanker
  await embedded.start()
  closing.push(() => embedded.stop())

  const ofIngest = await tracingOf('event-ingest')
  const ingestLog = tracedLog(writingAs(log, 'event-ingest', '1'), ofIngest, { service: 'event-ingest', clock })
  const parts = { clock, config: z.object(ingestSettings).parse({}), metrics: createMetrics(), report: silentReport }
  const ingest = tracedIngest(createIngest({ log: ingestLog, ...parts }), ofIngest)
  const limits = z.object(httpSettings(0)).parse({})
  const connectors = createConnectors({ ingest, log: ingestLog, ...parts })
  const app = createHttpApp({ ingest, connectors, access: openAccess, limits, origins: [], ...parts })
  closing.push(() => app.close())
  const send = (headers: Record<string, string>, engagements = [anEngagement()]) =>
    app.inject({ method: 'POST', url: '/v1/engagements', headers, payload: { engagements } })
  async function addPins(): Promise<void> {
    const pins = [pinId, 'another', 'a-third'].map((id) => aCataloguePin(id, { createdAtMs: clock.now() - 60_000 }))
    const value = (pin: Pin) => encodePinChange({ kind: 'upsert', pin })
    await log.append(
      'pins.v1',
      pins.map((pin) => ({ key: pin.pinId, value: value(pin), partition: null })),
    )
    await log.drain()
  }
  /** Every span so far, after all of them have been sent. */
  async function spans(): Promise<readonly CollectedSpan[]> {
    await log.drain()
    await Promise.all(opened.map((each) => each.close()))
    return collector.spans
  }
  const blender = tracedBlender(embedded.blender, tracing)
  return { collector, send, spans, addPins, blender, flush: embedded.blender.flush }
}

let events = 0
const eventId = 'event-4711-of-the-test'
const anEngagement = () => ({
  eventId: `${eventId}-${++events}`,
  ...{ userId, pinId, action: 'save', occurredAt: new Date().toISOString() },
})

/** `a ← b ← c`: names from a span up to what the caller sent. */
function pathOf(span: CollectedSpan | undefined, all: readonly CollectedSpan[]): string {
  if (span === undefined) return '(no such span)'
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId)
  const above =
    parent !== undefined ? pathOf(parent, all) : span.parentSpanId === callerSpan ? 'caller' : span.parentSpanId
  return `${span.service}:${span.name} ← ${above}`
}

describe('the trace of an engagement', () => {
  it('leads from the caller through ingest and the log to the updater, to what it sends on, and to the views', async () => {
    const { send, spans, collector } = await aTracedSystem()
    expect((await send({ traceparent })).statusCode).toBe(202)
    await until('the fold of the pin', async () =>
      (await spans()).some(({ name }) => name === 'fold pin-engagements.v1'),
    )
    const all = await spans()
    expect(new Set(all.map((span) => span.traceId))).toEqual(new Set([traceId]))
    const written = 'event-ingest:append engagements.v1 ← event-ingest:ingest engagements ← caller'
    const of = (service: string, name: string) =>
      all.find((span) => span.name === name && span.attributes['freshet.service'] === service)
    expect(pathOf(of('feature-updater', 'fold engagements.v1'), all)).toBe(`freshet:fold engagements.v1 ← ${written}`)
    expect(pathOf(of('candidate-service', 'fold engagements.v1'), all)).toBe(`freshet:fold engagements.v1 ← ${written}`)
    expect(pathOf(of('feature-updater', 'fold pin-engagements.v1'), all)).toBe(
      `freshet:fold pin-engagements.v1 ← freshet:append pin-engagements.v1 ← freshet:fold engagements.v1 ← ${written}`,
    )
    for (const id of [userId, pinId, eventId]) expect(collector.bodies.join('')).not.toContain(id)
  })

  it('is one span for all engagements of a request, not one for each', async () => {
    const { send, spans } = await aTracedSystem()
    await send({ traceparent }, [anEngagement(), anEngagement(), anEngagement()])
    const ingested = (await spans()).filter(({ service }) => service === 'event-ingest')
    expect(ingested.map(({ name }) => name).sort()).toEqual(['append engagements.v1', 'ingest engagements'])
    expect(ingested.find(({ name }) => name === 'ingest engagements')?.attributes).toMatchObject({
      'freshet.accepted': 3,
    })
  })

  it.each([
    ['not a trace', 'nonsense'],
    ['an unknown version ff', `ff-${traceId}-${callerSpan}-01`],
    ['zeros for a trace', `00-${'0'.repeat(32)}-${callerSpan}-01`],
    ['zeros for a span', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['capitals', traceparent.toUpperCase()],
    ['too short', traceparent.slice(0, -1)],
    ['more than version 00 has', `${traceparent}-more`],
    ['8,000 characters', 'a'.repeat(8_000)],
    ['empty', ''],
  ])('that is %s counts as none: the request is accepted and nothing is recorded', async (_what, text) => {
    const { send, spans } = await aTracedSystem()
    expect((await send({ traceparent: text })).statusCode).toBe(202)
    expect(await spans()).toEqual([])
  })

  it('that the caller does not record is not recorded, and a share of the others is', async () => {
    const { send, spans } = await aTracedSystem({ sampleRatio: 1 })
    await send({ traceparent: traceparent.replace(/01$/, '00') })
    expect(await spans()).toEqual([])
    await send({})
    const roots = (await spans()).filter(({ parentSpanId }) => parentSpanId === '')
    expect(roots.map(({ service, name }) => `${service}:${name}`)).toEqual(['event-ingest:ingest engagements'])
  })

  it('of a caller that is not trusted is recorded only as the ratio says, also by the readers of its records', async () => {
    const { send, spans } = await aTracedSystem({ trustCallers: false })
    expect((await send({ traceparent })).statusCode).toBe(202)
    expect(await spans()).toEqual([])
  })

  it('of a refused request has the code of the refusal', async () => {
    const { send, spans } = await aTracedSystem()
    expect((await send({ traceparent }, [])).statusCode).toBe(400)
    expect((await spans()).map(({ name, status, message }) => [name, status, message])).toEqual([
      ['ingest engagements', 2, 'BATCH_EMPTY'],
    ])
  })
})

describe('the trace of a feed', () => {
  it('leads over gRPC to the candidate service and the ranker, with the stages, and to the record of the feed', async () => {
    const { spans, blender, flush, collector, addPins } = await aTracedSystem()
    await addPins()
    const request = GetFeedRequest.fromPartial({ userId })
    const { items } = await blender.getFeed(request, { timeoutMs: 5_000, headers: { traceparent } })
    expect(items.length).toBeGreaterThan(0)
    await flush()
    const all = await spans()
    const path = (service: string, name: string) =>
      pathOf(
        all.find(
          (span) => span.service === service && span.name === name && (service === 'freshet' || span.kind === 2),
        ),
        all,
      )
    expect(path('freshet', 'GetFeed')).toBe('freshet:GetFeed ← caller')
    for (const stage of ['retrieve', 'filter', 'rank', 'order', 'page'])
      expect(path('freshet', `stage ${stage}`)).toBe(`freshet:stage ${stage} ← freshet:GetFeed ← caller`)
    expect(path('candidate-service', 'Retrieve')).toBe(
      'candidate-service:Retrieve ← freshet:Retrieve ← freshet:GetFeed ← caller',
    )
    expect(path('ranker', 'Rank')).toBe('ranker:Rank ← freshet:Rank ← freshet:GetFeed ← caller')
    expect(path('freshet', 'append feeds-served.v1')).toBe('freshet:append feeds-served.v1 ← freshet:GetFeed ← caller')
    for (const id of [userId, pinId]) expect(collector.bodies.join('')).not.toContain(id)
  })
})
