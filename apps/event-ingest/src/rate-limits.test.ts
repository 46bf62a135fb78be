import { openAccess } from '@freshet/access/access'
import { Action } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { PostEngagementsRequest } from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createMetrics } from '@freshet/service/metrics'
import { createRateLimits } from '@freshet/service/rate-limits'
import { limitConfigOf } from '@freshet/service/rate-settings'
import { silentReport } from '@freshet/service/reporting'
import { grpcSettings } from '@freshet/service/settings'
import { credentials, makeGenericClientConstructor, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { eventLimitSettings } from './config.ts'
import { createIngestGrpcService } from './grpc.ts'
import { anEngagement, nowMs, startIngest } from './testing.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Ingest whose addresses may send 10 events at once and one a second. */
async function start(given: Partial<z.input<z.ZodObject<typeof eventLimitSettings>>> = {}) {
  const settings = { userRate: 0, addressRate: 1, addressBurst: 10, trustedProxies: ['127.0.0.1'], ...given }
  const rates = createRateLimits({
    name: 'test',
    config: limitConfigOf(z.object(eventLimitSettings).parse(settings)),
    clock: { now: () => nowMs, sleep: () => Promise.resolve() },
    shared: null,
    ownSecret: new Uint8Array(32),
    metrics: createMetrics(),
    report: silentReport,
  })
  const started = await startIngest({ rates })
  closing.push(() => started.app.close())
  const post = async (url: string, payload: object, from = '192.0.2.1') => {
    const headers = { 'content-type': 'application/json' }
    const answer = await started.app.inject({ method: 'POST', url, payload, headers, remoteAddress: from })
    return { status: answer.statusCode, retryAfter: answer.headers['retry-after'], body: answer.json<object>() }
  }
  return { ...started, post }
}

const batchOf = (count: number, userId = 'u1') => ({
  engagements: Array.from({ length: count }, (_, n) => anEngagement({ eventId: `e${n}`, userId })),
})

describe('rates of events', () => {
  it('refuse the whole request with 429 and the time after which it is taken; nothing of it is in the log', async () => {
    const { post, records } = await start()
    expect((await post('/v1/engagements', batchOf(8))).status).toBe(202)
    const refused = await post('/v1/engagements', batchOf(5))
    expect(refused).toMatchObject({
      status: 429,
      retryAfter: '3',
      body: {
        error: { code: 'RATE_LIMITED', retryable: true, message: expect.stringContaining('this address') as string },
      },
    })
    expect(await records('engagements.v1')).toHaveLength(8)
    expect((await post('/v1/engagements', batchOf(2))).status).toBe(202)
    expect((await post('/v1/engagements', batchOf(5), '192.0.2.2')).status).toBe(202)
  })

  it('cost a unit for each event, valid or not', async () => {
    const { post } = await start()
    expect((await post('/v1/engagements', { engagements: Array(10).fill(1) })).status).toBe(400)
    expect((await post('/v1/engagements', batchOf(1))).status).toBe(429)
  })

  it('refuse a batch that is larger than a burst for ever', async () => {
    const { post } = await start()
    const { status: code, retryAfter, body } = await post('/v1/engagements', batchOf(11))
    expect([code, retryAfter]).toEqual([413, undefined])
    expect(body).toMatchObject({ error: { code: 'BATCH_TOO_LARGE', retryable: false } })
  })

  it('count each user of a batch', async () => {
    const { post } = await start({ addressRate: 0, userRate: 1, userBurst: 4 })
    expect((await post('/v1/engagements', batchOf(4, 'ada'))).status).toBe(202)
    expect(
      (
        await post(
          '/v1/engagements',
          { engagements: [...batchOf(1, 'bob').engagements, ...batchOf(1, 'ada').engagements] },
          '192.0.2.9',
        )
      ).status,
    ).toBe(429)
    expect((await post('/v1/engagements', batchOf(4, 'bob'))).status).toBe(202)
  })

  it('hold for merges, and by the Connect protocol as resource_exhausted', async () => {
    const { post } = await start()
    await post('/v1/engagements', batchOf(10))
    expect((await post('/v1/users/a/merge', { intoUserId: 'b' })).status).toBe(429)
    const message = {
      engagements: [{ eventId: 'e', userId: 'u', pinId: 'p', action: 'ACTION_CLICK', occurredAtMs: nowMs }],
    }
    const connect = await post('/freshet.ingest.v1.EventIngest/PostEngagements', message)
    expect(connect).toMatchObject({ status: 429, retryAfter: '1', body: { code: 'resource_exhausted' } })
  })

  it('cost a unit for each event of another system, once, also for those that are skipped or put aside', async () => {
    const batch = (count: number, event: object) => ({ batch: Array.from({ length: count }, () => event) })
    const at = new Date(nowMs).toISOString()
    const saved = { type: 'track', event: 'Pin Saved', userId: 'u', timestamp: at, properties: { pinId: 'p' } }
    for (const event of [{ type: 'bogus' }, { ...saved, event: 'Unheard Of' }, saved]) {
      const { post, records } = await start()
      expect((await post('/v1/segment/v1/batch', batch(10, event))).status).toBe(200)
      const written = async () => [(await records('dead-letters.v1')).length, (await records('engagements.v1')).length]
      const before = await written()
      const refused = await post('/v1/segment/v1/batch', batch(1, event))
      expect(refused).toMatchObject({ status: 429, retryAfter: '1', body: { error: { code: 'RATE_LIMITED' } } })
      expect(await written()).toEqual(before)
    }
  })

  it('count the users of events of other systems, by the id that the mapping reads', async () => {
    const { post } = await start({ addressRate: 0, userRate: 1, userBurst: 2 })
    const event = (id: string, anonymousId: string) => ({
      messageId: id,
      type: 'track',
      event: 'Pin Saved',
      anonymousId,
      timestamp: new Date(nowMs).toISOString(),
      properties: { pinId: 'p' },
    })
    const send = (...batch: object[]) => post('/v1/segment/v1/batch', { batch })
    expect((await send(event('1', 'ada'), event('2', 'ada'))).status).toBe(200)
    expect((await send(event('3', 'bob'), event('4', 'ada'))).status).toBe(429)
    expect((await send(event('5', 'bob'), event('6', 'bob'))).status).toBe(200)
    const merge = { messageId: '7', type: 'identify', anonymousId: 'anon', userId: 'ada' }
    expect((await send(merge)).status).toBe(429)
  })

  it('hold over gRPC as RESOURCE_EXHAUSTED with the time to wait', async () => {
    const { ingest, metrics } = await start()
    const server = await startGrpcServer({
      access: openAccess,
      ...z.object(grpcSettings(0)).parse({}),
      port: 0,
      services: [createIngestGrpcService(ingest, { metrics, report: silentReport, maxStreamBatches: 8 })],
      descriptors: null,
      metrics,
    })
    closing.push(() => server.close())
    const client = new (makeGenericClientConstructor({}, 'raw'))(
      `127.0.0.1:${server.port}`,
      credentials.createInsecure(),
    )
    closing.push(() => {
      client.close()
    })
    const engagement = { eventId: 'e', userId: 'u', pinId: 'p', action: Action.CLICK, occurredAtMs: nowMs }
    const request = PostEngagementsRequest.fromPartial({ engagements: Array.from({ length: 6 }, () => engagement) })
    const bytes = Buffer.from(PostEngagementsRequest.encode(request).finish())
    const metadata = new Metadata()
    // The peer is a trusted proxy.
    metadata.set('x-forwarded-for', '192.0.2.1')
    const call = (): Promise<ServiceError | null> =>
      new Promise((resolve) => {
        const path = '/freshet.ingest.v1.EventIngest/PostEngagements'
        client.makeUnaryRequest(
          path,
          (value: Buffer) => value,
          (value) => value,
          bytes,
          metadata,
          (error) => resolve(error),
        )
      })
    expect(await call()).toBeNull()
    const refused = await call()
    expect(refused?.code).toBe(status.RESOURCE_EXHAUSTED)
    expect(refused?.metadata.get('retry-after')).toEqual(['2'])
    expect(refused?.metadata.get('grpc-retry-pushback-ms')).toEqual(['2000'])
  })
})
