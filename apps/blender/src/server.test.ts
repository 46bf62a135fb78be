import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js'
import { createFileRegistry, fromBinary, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import {
  Evaluation,
  GetFeedRequest,
  GetFeedResponse,
  GetRelatedPinsRequest,
  GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import type { Blender } from '@freshet/contracts/ports/calls'
import { aBlender, aFeedRequest, cursorKey } from './blender.harness.ts'
import { createPageTokens } from './page-token.ts'
import { feedToJson, relatedPinsToJson } from './json-answer.ts'
import { grpcClientOf, httpAppOf } from './serving.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const pageTokenOf = (userId: string, startedAtMs: number) =>
  createPageTokens([cursorKey]).format({ firstPosition: 1, startedAtMs, recorded: true }, { userId, surface: 'home' })

async function start(blender?: Partial<Blender>) {
  const made = await aBlender()
  const settled: Partial<Blender> = {
    getFeed: (request, call) => made.settle(made.blender.getFeed(request, call)),
    getRelatedPins: (request, call) => made.settle(made.blender.getRelatedPins(request, call)),
    rankPins: (request, call) => made.settle(made.blender.rankPins(request, call)),
    getPins: (request, call) => made.settle(made.blender.getPins(request, call)),
    searchByImage: (request, call) => made.settle(made.blender.searchByImage(request, call)),
    getCapabilities: (request, call) => made.settle(made.blender.getCapabilities(request, call)),
  }
  const answering = aFakeBlender(blender ?? settled)
  const defects: unknown[] = []
  const onDefect = (error: unknown) => void defects.push(error)
  const app = httpAppOf(answering, { closing, onDefect })
  return { app, defects, ...(await grpcClientOf(answering, { closing, onDefect })) }
}

interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly field: string
    readonly message: string
    readonly retryable: boolean
  }
}

const badRequests: readonly (readonly [string, Partial<GetFeedRequest>, string])[] = [
  ['no user', { userId: '' }, 'user_id'],
  ['an id over 128 characters', { userId: 'x'.repeat(129) }, 'user_id'],
  ['a control character', { userId: 'a\u0007b' }, 'user_id'],
  ['a lone surrogate', { userId: 'a\ud800b' }, 'user_id'],
  ['white space', { sessionId: 'a b' }, 'session_id'],
  ['a page that is too large', { pageSize: 101 }, 'page_size'],
  ['an invalid page token', { pageToken: 'hello' }, 'page_token'],
  ['a page token of another user', { pageToken: pageTokenOf('bob', 1_760_000_000_000) }, 'page_token'],
  ['a page token that is too old', { pageToken: pageTokenOf('ada', 1_700_000_000_000) }, 'page_token'],
  ['a token of nothing', { after: ['e1-5', 'x'] }, 'after[1]'],
  ['a token of an unknown partition', { after: ['e99-5'] }, 'after[0]'],
  ['too many tokens', { after: Array.from({ length: 1_025 }, () => 'e1-5') }, 'after'],
  ['a locale that is none', { locale: 'german please' }, 'locale'],
  ['a time before the epoch', { atMs: -1 }, 'at_ms'],
  ['a time in seconds', { atMs: 1_760_000_000 }, 'at_ms'],
  ['a time in the far future', { atMs: 9_007_199_254_740_000 }, 'at_ms'],
  [
    'an empty excluded pin',
    { evaluation: Evaluation.fromPartial({ excludePinIds: ['a', ''] }) },
    'evaluation.exclude_pin_ids[1]',
  ],
  [
    'an invalid pin to rank',
    { evaluation: Evaluation.fromPartial({ amongPinIds: ['\n'] }) },
    'evaluation.among_pin_ids[0]',
  ],
  ['an unknown consistency', { evaluation: Evaluation.fromPartial({ consistency: 9 as 1 }) }, 'evaluation.consistency'],
  ['an unknown depth', { evaluation: Evaluation.fromPartial({ depth: 9 as 1 }) }, 'evaluation.depth'],
]

describe('bad input', () => {
  test.each(badRequests)('%s: CALL_INVALID_ARGUMENT that names the field', async (_what, request, field) => {
    const { blender, services } = await aBlender()
    const error = await blender.getFeed(aFeedRequest(request), { timeoutMs: 500 }).catch((thrown: unknown) => thrown)
    expect(isContractError(error, 'CALL_INVALID_ARGUMENT')).toBe(true)
    expect((error as Error).message.startsWith(`${field}: `)).toBe(true)
    expect(services.retrieved).toEqual([])
  })

  test('related pins: the error names the field', async () => {
    const { blender } = await aBlender()
    for (const [request, field] of [
      [{ pinId: '' }, 'pin_id'],
      [{ pinId: 'p', userId: ' ' }, 'user_id'],
    ] as const) {
      const asked = blender.getRelatedPins(GetRelatedPinsRequest.fromPartial(request), { timeoutMs: 500 })
      const error = await asked.catch((thrown: unknown) => thrown)
      expect((error as Error).message).toContain(`${field}: `)
    }
  })

  test('over gRPC: INVALID_ARGUMENT with the same message, also for bytes that are not a message', async () => {
    const { client, port, defects } = await start()
    const error = await client
      .getFeed(aFeedRequest({ pageSize: 500 }), { timeoutMs: 5_000 })
      .catch((thrown: unknown) => thrown)
    expect(isContractError(error, 'CALL_INVALID_ARGUMENT')).toBe(true)
    expect((error as Error).message).toBe('page_size: is 500; give 1–100, or 0 for 25')
    const raw = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    closing.push(() => raw.close())
    const asIs = (bytes: Buffer) => bytes
    const cut = Buffer.from([0x0a, 0x7f, 0x41])
    const failed = await new Promise<ServiceError | null>((resolve) => {
      raw.makeUnaryRequest('/freshet.blending.v1.Blender/GetFeed', asIs, asIs, cut, resolve)
    })
    expect(failed).toMatchObject({ code: status.INVALID_ARGUMENT })
    expect(failed!.details).toContain('freshet.blending.v1.GetFeedRequest')
    expect(defects).toEqual([])
  })

  test.each([
    ['malformed JSON', '{"userId":', 'body'],
    ['a body that is not JSON', 'hello', 'body'],
    ['NaN', '{"atMs":NaN}', 'body'],
    ['an array', '[]', 'body'],
    ['a number as a user', '{"userId":7}', 'userId'],
    ['a number as text', '{"userId":"ada","pageSize":"5"}', 'pageSize'],
    ['a fraction', '{"userId":"ada","pageSize":2.5}', 'pageSize'],
    ['infinity', '{"userId":"ada","atMs":1e999}', 'atMs'],
    ['a word as a boolean', '{"userId":"ada","explain":"yes"}', 'explain'],
    ['an unknown field', '{"userId":"ada","pagesize":5}', 'pagesize'],
    ['a prototype', '{"userId":"ada","__proto__":{"explain":true}}', '__proto__'],
    ['a token that is not a string', '{"userId":"ada","after":["e1-2",5]}', 'after[1]'],
    ['an unknown field of the evaluation', '{"userId":"ada","evaluation":{"dry":true}}', 'evaluation.dry'],
    ['an unknown depth', '{"userId":"ada","evaluation":{"depth":"DEPTH_SEA"}}', 'evaluation.depth'],
    ['deep JSON', `{"userId":"ada","after":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'after[0]'],
    ['no user', '{}', 'userId'],
    ['a page that is too large', '{"userId":"ada","pageSize":101}', 'pageSize'],
    ['an invalid session', '{"userId":"ada","sessionId":"\\u0007"}', 'sessionId'],
    ['an invalid page token', '{"userId":"ada","pageToken":"hello"}', 'pageToken'],
    ['a time before the epoch', '{"userId":"ada","atMs":-1}', 'atMs'],
    [
      'an invalid pin to rank',
      '{"userId":"ada","evaluation":{"amongPinIds":["a","\\n"]}}',
      'evaluation.amongPinIds[1]',
    ],
    ['an invalid excluded pin', '{"userId":"ada","evaluation":{"excludePinIds":[""]}}', 'evaluation.excludePinIds[0]'],
    ['a field by its name in the proto', '{"user_id":"ada"}', 'user_id'],
  ])('A14: over HTTP, %s is a 400 that names the field as JSON does', async (_what, payload, field) => {
    const { app } = await start()
    const headers = { 'content-type': 'application/json' }
    const answer = await app.inject({ method: 'POST', url: '/v1/feed', headers, payload })
    expect(answer.statusCode).toBe(400)
    const { error } = answer.json<ErrorBody>()
    expect(error).toMatchObject({ code: 'CALL_INVALID_ARGUMENT', field, retryable: false })
    expect(error.message.startsWith(`${field}: `)).toBe(true)
  })

  test.each([
    ['userId=ada&pageSize=5x', 'pageSize'],
    ['userId=ada&explain=1', 'explain'],
    ['userId=ada&colour=red', 'colour'],
    ['userId=ada&after=zzz', 'after[0]'],
    ['userId=ada&userId=bob', 'userId'],
  ])('over HTTP: the query %s is a 400 that names the field', async (query, field) => {
    const { app } = await start()
    const answer = await app.inject({ method: 'GET', url: `/v1/feed?${query}` })
    expect(answer.statusCode).toBe(400)
    expect(answer.json<ErrorBody>().error.field).toBe(field)
  })

  test('over HTTP: a wrong content type, a body that is too large, an unknown path', async () => {
    const { app } = await start()
    const post = (type: string, payload: string) =>
      app.inject({ method: 'POST', url: '/v1/feed', headers: { 'content-type': type }, payload })
    expect((await post('text/plain', 'x')).statusCode).toBe(415)
    expect((await post('application/json', JSON.stringify({ userId: 'x'.repeat(70_000) }))).statusCode).toBe(413)
    const lost = await app.inject({ method: 'GET', url: '/v1/feeds' })
    expect(lost.statusCode).toBe(404)
    expect(lost.json<ErrorBody>().error.message).toContain('/v1/feed')
  })
})

describe('A14 · answers over HTTP', () => {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readDescriptors()))
  const canonical = (name: string, bytes: Uint8Array): unknown => {
    const message = registry.getMessage(`freshet.blending.v1.${name}`)!
    return toJson(message, fromBinary(message, bytes), { alwaysEmitImplicit: true })
  }
  const text = fc.string({ maxLength: 5 })
  const page = {
    feedId: text,
    items: fc.array(
      fc.record({
        pinId: text,
        position: fc.nat(9),
        utility: fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        sources: fc.array(text, { maxLength: 2 }),
      }),
      { maxLength: 3 },
    ),
    degradation: fc.constantFrom(0 as const, 1 as const, 5 as const),
    reasons: fc.array(text, { maxLength: 2 }),
    freshness: fc.constantFrom(0 as const, 1 as const, 2 as const),
    stages: fc.array(
      fc.record({
        stage: text,
        candidatesIn: fc.nat(9),
        candidatesOut: fc.nat(9),
        tookUs: fc.nat(9),
        removed: fc.dictionary(fc.stringMatching(/^[A-Z]{1,5}$/), fc.nat(9), { maxKeys: 2 }),
        error: text,
      }),
      { maxLength: 2 },
    ),
  }

  test('have every field of the proto, including zeros and empty lists', () => {
    const feed = fc.record({ ...page, nextPageToken: text })
    fc.assert(
      fc.property(feed, fc.record(page), (home, related) => {
        const response = GetFeedResponse.fromPartial(home)
        const bytes = GetFeedResponse.encode(response).finish()
        expect(JSON.parse(JSON.stringify(feedToJson(response)))).toEqual(canonical('GetFeedResponse', bytes))
        const other = GetRelatedPinsResponse.fromPartial(related)
        const otherBytes = GetRelatedPinsResponse.encode(other).finish()
        expect(JSON.parse(JSON.stringify(relatedPinsToJson(other)))).toEqual(
          canonical('GetRelatedPinsResponse', otherBytes),
        )
      }),
    )
  })

  test('the first pin has position 0, and an empty feed has an empty list', async () => {
    const { app } = await start()
    const first = await app.inject({ method: 'GET', url: '/v1/feed?userId=ada&pageSize=1' })
    expect(first.json()).toMatchObject({ items: [{ position: 0 }], reasons: [], stages: [] })
    const none = await start({
      getFeed: async () => GetFeedResponse.create(),
      getRelatedPins: async () => GetRelatedPinsResponse.create(),
    })
    for (const [path, more] of [
      ['feed?userId=ada', { nextPageToken: '', seeds: [] }],
      ['related?pinId=p', {}],
    ] as const) {
      const answer = await none.app.inject({ method: 'GET', url: `/v1/${path}` })
      expect(answer.json()).toEqual({
        feedId: '',
        items: [],
        degradation: 'DEGRADATION_UNSPECIFIED',
        reasons: [],
        freshness: 'FRESHNESS_UNSPECIFIED',
        stages: [],
        ...more,
      })
    }
  })

  test('GET and HEAD are dry runs and use no pins; POST serves', async () => {
    const { app } = await start()
    const pins = async (method: 'GET' | 'POST', payload?: object): Promise<string[]> => {
      const asked = { method, url: `/v1/feed${method === 'GET' ? '?userId=ada&pageSize=5' : ''}` }
      const answer = await app.inject(payload === undefined ? asked : { ...asked, payload })
      return answer.json<{ items: { pinId: string }[] }>().items.map(({ pinId }) => pinId)
    }
    const first = await pins('GET')
    expect(first).toHaveLength(5)
    for (let i = 0; i < 3; i++) {
      const head = await app.inject({ method: 'HEAD', url: '/v1/feed?userId=ada&pageSize=5' })
      expect([head.statusCode, head.body, head.headers['cache-control']]).toEqual([200, '', 'no-store'])
    }
    expect(await pins('GET')).toEqual(first)
    expect(await pins('POST', { userId: 'ada', pageSize: 5 })).toEqual(first)
    const next = await pins('GET')
    expect(next).toHaveLength(5)
    expect(next.filter((pin) => first.includes(pin))).toEqual([])
  })

  test('a GET continues with its page token', async () => {
    const { app } = await start()
    const get = async (more = '') =>
      (await app.inject({ method: 'GET', url: `/v1/feed?userId=ada&pageSize=3${more}` })).json<{
        items: { pinId: string; position: number }[]
        nextPageToken: string
      }>()
    const first = await get()
    const second = await get(`&pageToken=${first.nextPageToken}`)
    expect(second.items.map(({ position }) => position)).toEqual([3, 4, 5])
    expect(new Set([...first.items, ...second.items].map(({ pinId }) => pinId)).size).toBe(6)
  })
})

describe('the same answer', () => {
  test('over gRPC, HTTP POST and HTTP GET', async () => {
    const asked = { userId: 'ada', pageSize: 3, evaluation: { dryRun: true } }
    const byRpc = await (await start()).client.getFeed(GetFeedRequest.fromJSON(asked), { timeoutMs: 5_000 })
    const { app } = await start()
    const post = await app.inject({ method: 'POST', url: '/v1/feed', payload: asked })
    expect(post.statusCode).toBe(200)
    expect(GetFeedResponse.fromJSON(post.json())).toEqual(byRpc)
    expect(post.json()).toMatchObject({
      degradation: 'DEGRADATION_NONE',
      items: [{ pinId: 'pin-299', utility: 299 }, {}, {}],
    })
    const get = await (await start()).app.inject({ method: 'GET', url: '/v1/feed?userId=ada&pageSize=3' })
    expect(GetFeedResponse.fromJSON(get.json()).items).toEqual(byRpc.items)
  })

  test('of related pins', async () => {
    const { client, app } = await start()
    const byRpc = await client.getRelatedPins(GetRelatedPinsRequest.fromPartial({ pinId: 'pin-1', pageSize: 2 }), {
      timeoutMs: 5_000,
    })
    const get = await app.inject({ method: 'GET', url: '/v1/related?pinId=pin-1&pageSize=2' })
    expect(get.json()).toMatchObject({ items: byRpc.items.map(({ pinId }) => ({ pinId })) })
  })
})

describe('failure', () => {
  const failing = (error: Error): Partial<Blender> => ({
    getFeed: async () => {
      throw error
    },
    getRelatedPins: async () => {
      throw error
    },
  })

  test('the log is unavailable: 503 with Retry-After, UNAVAILABLE over gRPC', async () => {
    const { app, client } = await start(failing(new ContractError('LOG_UNAVAILABLE', 'no broker')))
    const answer = await app.inject({ method: 'GET', url: '/v1/feed?userId=ada' })
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    const error = await client.getFeed(aFeedRequest({}), { timeoutMs: 5_000 }).catch((thrown: unknown) => thrown)
    expect(isContractError(error, 'CALL_UNAVAILABLE')).toBe(true)
  })

  test('a defect: 500 without its message, and a report', async () => {
    const { app, defects } = await start(failing(new TypeError('secret')))
    const answer = await app.inject({ method: 'GET', url: '/v1/feed?userId=ada' })
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(defects).toMatchObject([{ code: 'CALL_INTERNAL', cause: new TypeError('secret') }])
  })

  test('a cancelled call is cancelled in the blender', async () => {
    let signal: AbortSignal | undefined
    const { client } = await start({
      getFeed: (_request, call) => {
        signal = call.signal
        return new Promise(() => {})
      },
      getRelatedPins: () => new Promise(() => {}),
    })
    const stop = new AbortController()
    const asked = client
      .getFeed(aFeedRequest({}), { timeoutMs: 10_000, signal: stop.signal })
      .catch((thrown: unknown) => thrown)
    while (signal === undefined) await new Promise((resolve) => setTimeout(resolve, 2))
    stop.abort()
    expect(isContractError(await asked, 'CALL_CANCELLED')).toBe(true)
    while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 2))
  })
})
