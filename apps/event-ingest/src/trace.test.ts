import { openAccess } from '@freshet/access/access'
import { credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import {
  EventIngestClient,
  PostEngagementsRequest,
  PostPinsRequest,
  type PostEngagementsResponse,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { Action } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { silentReport } from '@freshet/service/reporting'
import { grpcSettings } from '@freshet/service/settings'
import { until } from '@freshet/service/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createIngestGrpcService } from './grpc.ts'
import { anEngagement, nowMs, startIngest } from './testing.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const tracestate = 'congo=t61rcWkgMzE'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function overHttp() {
  const started = await startIngest()
  closing.push(() => started.app.close())
  const send = (method: 'POST' | 'DELETE', url: string, headers: Record<string, string>, payload?: object) =>
    started.app.inject({ method, url, headers, ...(payload && { payload }) })
  return { ...started, send }
}

async function overGrpc() {
  const started = await startIngest()
  const server = await startGrpcServer({
    access: openAccess,
    ...z.object(grpcSettings(0)).parse({}),
    port: 0,
    services: [
      createIngestGrpcService(started.ingest, { metrics: started.metrics, report: silentReport, maxStreamBatches: 8 }),
    ],
    descriptors: null,
    metrics: started.metrics,
  })
  const client = new EventIngestClient(`127.0.0.1:${server.port}`, credentials.createInsecure())
  closing.push(
    () => server.close(),
    () => client.close(),
  )
  const engagement = { eventId: 'e', userId: 'u', action: Action.SAVE, pinId: 'p', occurredAtMs: nowMs - 1_000 }
  const request = PostEngagementsRequest.fromPartial({ engagements: [engagement, { ...engagement, eventId: 'f' }] })
  const post = (metadata: Metadata, deadline?: number): Promise<PostEngagementsResponse | ServiceError> =>
    new Promise((resolve) => {
      const options = deadline === undefined ? {} : { deadline }
      client.postEngagements(request, metadata, options, (error, answer) => resolve(error ?? answer))
    })
  return { ...started, client, post }
}

describe('the trace of a request', () => {
  it('over HTTP reaches the record of each of its engagements', async () => {
    const { send, records } = await overHttp()
    const engagements = ['a', 'b', 'c'].map((eventId) => anEngagement({ eventId }))
    const answer = await send('POST', '/v1/engagements', { traceparent, tracestate }, { engagements })
    expect(answer.statusCode).toBe(202)
    const found = await records('engagements.v1')
    expect(found.map(({ headers }) => headers)).toEqual(Array(3).fill({ traceparent, tracestate }))
    // One object for all of them.
    expect(new Set(found.map(({ headers }) => headers)).size).toBe(1)
  })

  it('reaches records of pins and erasures too', async () => {
    const { send, records } = await overHttp()
    await send('POST', '/v1/pins', { traceparent }, { pinId: 'p', creatorId: 'c', createdAt: '2026-01-01T00:00:00Z' })
    await send('DELETE', '/v1/users/u', { traceparent })
    expect((await records('pins.v1')).map(({ headers }) => headers)).toEqual([{ traceparent }])
    expect((await records('erasures.v1')).map(({ headers }) => headers)).toEqual([{ traceparent }])
  })

  it('that is invalid is ignored: ingest accepts the event without a trace', async () => {
    const { send, records } = await overHttp()
    const answer = await send('POST', '/v1/engagements', { traceparent: 'nonsense', tracestate }, anEngagement())
    expect(answer.statusCode).toBe(202)
    expect((await records('engagements.v1')).map(({ headers }) => headers)).toEqual([{}])
  })

  it('over gRPC comes from the metadata', async () => {
    const { post, records } = await overGrpc()
    const metadata = new Metadata()
    metadata.set('traceparent', traceparent)
    metadata.set('tracestate', tracestate)
    metadata.set('authorization', 'a secret')
    expect(await post(metadata)).toMatchObject({ receipts: [{ id: 'e' }, { id: 'f' }] })
    const found = await records('engagements.v1')
    expect(found.map(({ headers }) => headers)).toEqual(Array(2).fill({ traceparent, tracestate }))
  })
})

describe('the deadline of a gRPC caller', () => {
  it('that has passed before the append: nothing is appended', async () => {
    const { ingest, records } = await overHttp()
    const call = { trace: {}, deadlineMs: nowMs }
    expect(await ingest.eraseUser('u', call)).toMatchObject({
      kind: 'refused',
      problem: { code: 'INGEST_DEADLINE_EXCEEDED' },
    })
    expect(await records('erasures.v1')).toEqual([])
    expect(await ingest.eraseUser('u', { ...call, deadlineMs: nowMs + 1 })).toMatchObject({ kind: 'taken' })
    expect(await records('erasures.v1')).toHaveLength(1)
  })

  it('that passes while the log is slow: the answer is DEADLINE_EXCEEDED, and ingest sends no further records', async () => {
    const { post, log, records, ingest } = await overGrpc()
    log.hold()
    const answered = post(new Metadata(), Date.now() + 200)
    await until('the request to wait', () => ingest.inFlight.bytes() > 0)
    expect(await answered).toMatchObject({ code: status.DEADLINE_EXCEEDED })
    await until('the request to be given up', () => ingest.inFlight.bytes() === 0)
    log.release()
    expect(await records('engagements.v1')).toEqual([])
    expect(await post(new Metadata(), Date.now() + 10_000)).toMatchObject({ receipts: [{ id: 'e' }, { id: 'f' }] })
    expect(await records('engagements.v1')).toHaveLength(2)
  })

  it('is optional: a call without one waits for the log', async () => {
    const { client, post, ingest, log } = await overGrpc()
    log.hold()
    const answered = post(new Metadata())
    await until('the request to wait', () => ingest.inFlight.bytes() > 0)
    log.release()
    expect(await answered).toMatchObject({ receipts: [{ id: 'e' }, { id: 'f' }] })
    const pins = PostPinsRequest.fromPartial({ pins: [] })
    const refused = await new Promise<ServiceError | null>((resolve) => client.postPins(pins, resolve))
    expect(refused?.code).toBe(status.INVALID_ARGUMENT)
  })
})
