import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { afterEach, expect, test } from 'vitest'
import { aBlender, aFeedRequest } from './blender.harness.ts'
import { grpcClientOf, httpAppOf } from './serving.fixture.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const trace = { traceparent, tracestate: 'congo=t61rcWkgMzE' }

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A blender, and the headers of what it asked for and wrote. */
async function traced() {
  const made = await aBlender()
  const asked: { what: string; headers: MessageHeaders | undefined }[] = []
  const { retrieve, rank } = made.services
  made.services.retrieve = (request, call) => {
    asked.push({ what: 'retrieve', headers: call.headers })
    return retrieve(request, call)
  }
  made.services.rank = (request, call) => {
    asked.push({ what: 'rank', headers: call.headers })
    return rank(request, call)
  }
  const blender = aFakeBlender({
    getFeed: (request, call) => made.settle(made.blender.getFeed(request, call)),
    getRelatedPins: (request, call) => made.settle(made.blender.getRelatedPins(request, call)),
  })
  async function recorded(): Promise<readonly MessageHeaders[]> {
    await made.settle(made.blender.flush())
    const found: MessageHeaders[] = []
    const reader = await made.log.readAll({
      topics: ['feeds-served.v1'],
      maxBatchRecords: 10,
      startAt: () => null,
      onError: (error) => {
        throw error
      },
      onBatch: async ({ records }) => void found.push(...records.map(({ headers }) => headers)),
    })
    await made.log.drain()
    await reader.stop()
    return found
  }
  return { blender, asked, recorded }
}

const everywhere = (headers: MessageHeaders) => [
  { what: 'retrieve', headers },
  { what: 'rank', headers },
]

test('the trace of GetFeed goes to Retrieve and Rank, and into the record of the feed', async () => {
  const { blender, asked, recorded } = await traced()
  const call: CallOptions = { timeoutMs: 500, headers: { ...trace, origin: 'feed-service/7' } }
  await blender.getFeed(aFeedRequest({}), call)
  expect(asked).toEqual(everywhere(trace))
  expect(await recorded()).toEqual([trace])
})

test('without a trace, calls and records have no trace headers', async () => {
  const { blender, asked, recorded } = await traced()
  await blender.getFeed(aFeedRequest({}), { timeoutMs: 500 })
  expect(asked).toEqual(everywhere(noHeaders))
  expect(await recorded()).toEqual([noHeaders])
})

test('over gRPC the trace is the metadata of the call', async () => {
  const { blender, asked, recorded } = await traced()
  const { client } = await grpcClientOf(blender, { closing })
  await client.getFeed(aFeedRequest({}), { timeoutMs: 5_000, headers: trace })
  expect(asked).toEqual(everywhere(trace))
  expect(await recorded()).toEqual([trace])
})

test('over HTTP the trace is the headers of the request; an invalid one counts as none', async () => {
  const { blender, asked, recorded } = await traced()
  const app = httpAppOf(blender, { closing })
  const post = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/v1/feed', headers, payload: { userId: 'ann' } })
  expect((await post(trace)).statusCode).toBe(200)
  expect((await post({ ...trace, traceparent: 'nonsense' })).statusCode).toBe(200)
  expect(asked).toEqual([...everywhere(trace), ...everywhere(noHeaders)])
  expect(await recorded()).toEqual([trace, noHeaders])
})
