import { status } from '@grpc/grpc-js'
import { isContractError } from '@freshet/contracts/errors'
import { afterEach, describe, expect, test } from 'vitest'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { aBlender, aFeedRequest, foundPins } from './blender.harness.ts'
import { grpcClientOf, httpAppOf } from './serving.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A blender that answers two requests at a time, one of them a prefetch, with one request under way. */
async function underLoad() {
  const made = await aBlender({ config: { maxInFlight: 2, maxPrefetchInFlight: 1 } })
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  made.services.retrieve = async (request) => {
    await held
    return foundPins(made.services.pins, request)
  }
  const answering = aFakeBlender({ getFeed: (request) => made.blender.getFeed(request, { timeoutMs: 60_000 }) })
  const first = made.blender.getFeed(aFeedRequest({ userId: 'first' }), { timeoutMs: 60_000 })
  /** Ends the load, and answers what is under way. */
  const relieved = async <Answer>(answers: Promise<Answer>): Promise<Answer> => {
    release()
    return made.settle(Promise.all([first, answers]).then(([, answer]) => answer))
  }
  return { ...made, answering, relieved }
}

const prefetch = { userId: 'ada', prefetch: true }
const request = { userId: 'bob' }
const refused = 'prefetches are refused while 1 requests are under way; ask again in a second'

describe('under load, a prefetch is refused before the request of a user', () => {
  test('over gRPC: UNAVAILABLE', async () => {
    const { answering, relieved } = await underLoad()
    const { client } = await grpcClientOf(answering, { closing })
    const call = { timeoutMs: 10_000 }
    const error = await client.getFeed(aFeedRequest(prefetch), call).catch((reason: unknown) => reason)
    if (!isContractError(error)) throw error
    expect([error.code, error.retryable, error.message]).toEqual(['CALL_UNAVAILABLE', true, refused])
    expect((error.cause as { readonly code: number }).code).toBe(status.UNAVAILABLE)
    const answer = await relieved(client.getFeed(aFeedRequest(request), call))
    expect(answer.items).toHaveLength(25)
    expect((await client.getFeed(aFeedRequest(prefetch), call)).items).toHaveLength(25)
  })

  test.each([
    ['/v1/feed', { error: { code: 'CALL_UNAVAILABLE', message: refused, retryable: true } }],
    [
      '/freshet.blending.v1.Blender/GetFeed',
      { code: 'unavailable', message: refused, details: [{ debug: { reason: 'CALL_UNAVAILABLE' } }] },
    ],
  ])('over HTTP, %s: 503 with Retry-After', async (url, body) => {
    const { answering, relieved } = await underLoad()
    const app = httpAppOf(answering, { closing })
    const ask = (payload: object) => app.inject({ method: 'POST', url, payload })
    const shed = await ask(prefetch)
    expect([shed.statusCode, shed.headers['retry-after']]).toEqual([503, '1'])
    expect(shed.json()).toMatchObject(body)
    const answer = await relieved(ask(request))
    expect([answer.statusCode, answer.json<{ items: unknown[] }>().items.length]).toEqual([200, 25])
    expect((await ask(prefetch)).statusCode).toBe(200)
  })
})
