import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { ContractError } from '@freshet/contracts/errors'
import { GetFeedRequest, GetFeedResponse, GetPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { httpAppOf } from './serving.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const base = '/freshet.blending.v1.Blender'
const json = { 'content-type': 'application/json', 'connect-protocol-version': '1' }

function started(calls: Partial<Blender> = {}) {
  const seen: { readonly request: GetFeedRequest; readonly call: CallOptions }[] = []
  const defects: unknown[] = []
  const blender = aFakeBlender({
    async getFeed(request, call) {
      seen.push({ request, call })
      return GetFeedResponse.fromPartial({ feedId: `of-${request.userId}`, items: [{ pinId: 'p', utility: NaN }] })
    },
    getPins: async ({ pinIds }) => ({ pins: [], missing: pinIds.map((pinId) => ({ pinId, reason: 'deleted' })) }),
    ...calls,
  })
  return { app: httpAppOf(blender, { closing, onDefect: (error) => defects.push(error) }), seen, defects }
}

describe('the Connect protocol', () => {
  test('answers proto3 JSON: names in both spellings, times as text or number, NaN as text', async () => {
    const { app, seen } = started()
    for (const payload of [
      { userId: 'ada', pageSize: 3, atMs: '1760000000000' },
      { user_id: 'ada', page_size: 3, at_ms: 1_760_000_000_000, unknown: true },
    ]) {
      const answer = await app.inject({ method: 'POST', url: `${base}/GetFeed`, headers: json, payload })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['content-type']).toBe('application/json')
      expect(answer.json()).toEqual({ feedId: 'of-ada', items: [{ pinId: 'p', utility: 'NaN' }] })
    }
    expect(seen[0]!.request).toEqual(seen[1]!.request)
    expect(seen[0]!.request).toMatchObject({ pageSize: 3, atMs: 1_760_000_000_000 })
  })

  test('answers protobuf with protobuf', async () => {
    const { app } = started()
    const payload = Buffer.from(GetFeedRequest.encode(GetFeedRequest.fromPartial({ userId: 'eve' })).finish())
    const headers = { 'content-type': 'application/proto' }
    const answer = await app.inject({ method: 'POST', url: `${base}/GetFeed`, headers, payload })
    expect(answer.headers['content-type']).toBe('application/proto')
    expect(GetFeedResponse.decode(answer.rawPayload)).toMatchObject({ feedId: 'of-eve' })
  })

  test('the deadline of the caller holds, up to the longest one', async () => {
    const { app, seen } = started()
    for (const timeout of [undefined, '40', '9999999999']) {
      const headers = { ...json, ...(timeout !== undefined && { 'connect-timeout-ms': timeout }) }
      await app.inject({ method: 'POST', url: `${base}/GetFeed`, headers, payload: {} })
    }
    expect(seen.map(({ call }) => call.timeoutMs)).toEqual([500, 40, 60_000])
  })

  test('gzip in both directions', async () => {
    const { app } = started()
    const pinIds = Array.from({ length: 500 }, (_, n) => `pin-${n}`)
    const headers = { ...json, 'content-encoding': 'gzip', 'accept-encoding': 'br, gzip' }
    const payload = gzipSync(JSON.stringify({ pinIds }))
    const answer = await app.inject({ method: 'POST', url: `${base}/GetPins`, headers, payload })
    expect(answer.headers['content-encoding']).toBe('gzip')
    const read = JSON.parse(gunzipSync(answer.rawPayload).toString()) as { missing: unknown[] }
    expect(read.missing).toHaveLength(500)
  })

  test('GET reaches calls without side effects only', async () => {
    const { app } = started()
    const message = encodeURIComponent(JSON.stringify({ pinIds: ['a'] }))
    const plain = await app.inject(`${base}/GetPins?connect=v1&encoding=json&message=${message}`)
    expect(plain.json()).toEqual({ missing: [{ pinId: 'a', reason: 'deleted' }] })
    const bytes = gzipSync(GetPinsRequest.encode({ pinIds: ['b'], atMs: undefined }).finish()).toString('base64url')
    const packed = await app.inject(
      `${base}/GetPins?connect=v1&encoding=proto&base64=1&compression=gzip&message=${bytes}`,
    )
    expect(packed.headers['content-type']).toBe('application/proto')
    expect((await app.inject(`${base}/GetFeed?connect=v1&encoding=json&message=%7B%7D`)).statusCode).toBe(404)
  })

  test.each([
    ['CALL_INVALID_ARGUMENT', 400, 'invalid_argument'],
    ['CALL_DEADLINE_EXCEEDED', 504, 'deadline_exceeded'],
    ['CALL_CANCELLED', 499, 'canceled'],
    ['CALL_UNAVAILABLE', 503, 'unavailable'],
    ['LOG_UNAVAILABLE', 503, 'unavailable'],
    ['FEED_MISSING', 404, 'not_found'],
    ['USER_ERASED', 400, 'failed_precondition'],
    ['CALL_INTERNAL', 500, 'internal'],
  ] as const)(
    '%s is the status %i with the code %s, and our code in the details',
    async (code, status, connectCode) => {
      const { app } = started({
        getFeed: async () => {
          throw new ContractError(code, 'user_id: is wrong')
        },
      })
      const answer = await app.inject({ method: 'POST', url: `${base}/GetFeed`, headers: json, payload: {} })
      expect(answer.statusCode).toBe(status)
      expect(answer.json()).toMatchObject({
        code: connectCode,
        message: 'user_id: is wrong',
        details: [{ type: 'google.rpc.ErrorInfo', debug: { reason: code, domain: 'freshet' } }],
      })
    },
  )

  test('a defect keeps its words, and is reported', async () => {
    const { app, defects } = started({ getFeed: () => Promise.reject(new TypeError('secret')) })
    const answer = await app.inject({ method: 'POST', url: `${base}/GetFeed`, headers: json, payload: {} })
    expect([answer.statusCode, answer.body.includes('secret')]).toEqual([500, false])
    expect(defects).toHaveLength(1)
  })

  test.each([
    [{ ...json, 'connect-protocol-version': '2' }, '{}', 400, 'connect-protocol-version: is "2"; give 1'],
    [{ ...json, 'connect-timeout-ms': 'soon' }, '{}', 400, 'connect-timeout-ms: is "soon"'],
    [json, '[]', 400, 'body: is not a GetFeedRequest'],
    [json, '{"filter":"p7"}', 400, 'body: is not a GetFeedRequest: filter is not an object'],
    [json, '{"filter":{"excludePinIds":"p7"}}', 400, 'filter.excludePinIds is not a list'],
    [json, '{"filter":{"exclude_pin_ids":{}}}', 400, 'filter.exclude_pin_ids is not a list'],
    [json, '{"filter":{"includeOwnPins":"false"}}', 400, 'filter.includeOwnPins is neither true nor false'],
    [json, '{', 400, 'body: is not JSON'],
    [{ 'content-type': 'application/proto' }, 'no message', 400, 'body: is not a GetFeedRequest'],
    [{ 'content-type': 'text/plain' }, 'x', 415, ''],
    [{ ...json, 'content-encoding': 'deflate' }, '{}', 415, 'body: has the content encoding'],
    [json, `{"userId":"${'x'.repeat(70_000)}"}`, 413, 'body: has more than 65536 bytes'],
  ])('%j with the body %.20s: %i', async (headers, payload, status, text) => {
    const { app, seen } = started()
    const answer = await app.inject({ method: 'POST', url: `${base}/GetFeed`, headers, payload })
    expect(answer.statusCode).toBe(status)
    expect(answer.json<{ message: string }>().message).toContain(text)
    expect(seen).toEqual([])
  })
})
