import type { FastifyInstance } from 'fastify'
import { contentTypes, type ConnectCodec } from '@freshet/adapters/connect/connect-call'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import {
  ExplainFeedRequest,
  GetCapabilitiesRequest,
  GetFeedRequest,
  GetPinsRequest,
  GetRelatedPinsRequest,
  RankPinsRequest,
  SearchByImageRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender } from '@freshet/contracts/ports/calls'
import type { MethodCodecs } from '@freshet/contracts/ports/method'
import { afterEach, describe, expect, test } from 'vitest'
import { aBlender, aPin } from './blender.harness.ts'
import { grpcClientOf, httpAppOf } from './serving.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const methods = Object.entries(blenderMethods) as unknown as readonly [keyof Blender, MethodCodecs<unknown, unknown>][]
type Call = (request: unknown) => Promise<unknown>
const call = { timeoutMs: 5_000 }

/** A port made of what each of its methods does. */
function portOf(made: (name: keyof Blender, method: MethodCodecs<unknown, unknown>) => Call): Blender {
  return Object.fromEntries(methods.map(([name, method]) => [name, made(name, method)])) as unknown as Blender
}

/** A client that speaks the Connect protocol to the HTTP server of a blender. */
function connectClient(app: FastifyInstance, codec: ConnectCodec): Blender {
  return portOf((_name, { name, request, response }) => async (message) => {
    const answer = await app.inject({
      method: 'POST',
      url: `/freshet.blending.v1.Blender/${name}`,
      headers: { 'content-type': contentTypes[codec], 'connect-protocol-version': '1' },
      payload: codec === 'json' ? jsonOf(request.toJSON(message)) : Buffer.from(request.encode(message).finish()),
    })
    if (answer.statusCode === 200)
      return codec === 'json' ? response.fromJSON(answer.json()) : response.decode(answer.rawPayload)
    const { details } = answer.json<{ readonly details: readonly [{ readonly debug: { readonly reason: string } }] }>()
    throw new ContractError(details[0].debug.reason as ErrorCode, answer.body)
  })
}

const shortPaths: Readonly<Record<keyof Blender, string>> = {
  getFeed: 'feed',
  getRelatedPins: 'related',
  rankPins: 'rank',
  getPins: 'pins',
  searchByImage: 'search',
  explainFeed: 'explain',
  getCapabilities: 'capabilities',
}

/** A client of the short paths. */
function jsonClient(app: FastifyInstance): Blender {
  return portOf((called, { request, response }) => async (message) => {
    const headers = { 'content-type': 'application/json' }
    const payload = jsonOf(request.toJSON(message))
    const answer = await app.inject({ method: 'POST', url: `/v1/${shortPaths[called]}`, headers, payload })
    // These paths write NaN as null.
    const numbers = (_name: string, value: unknown): unknown => (value === null ? NaN : value)
    if (answer.statusCode === 200) return response.fromJSON(JSON.parse(answer.body, numbers))
    const { error } = answer.json<{ readonly error: { readonly code: ErrorCode; readonly message: string } }>()
    throw new ContractError(error.code, error.message)
  })
}

/** JSON has no NaN: proto3 writes it as text. */
function jsonOf(message: unknown): string {
  return JSON.stringify(message, (_name, value: unknown) => (Number.isNaN(value) ? 'NaN' : value))
}

const ports: readonly (readonly [string, (blender: Blender) => Promise<Blender>])[] = [
  ['in this process', async (blender) => blender],
  ['over gRPC', async (blender) => (await grpcClientOf(blender, { closing })).client],
  ['by Connect, JSON', async (blender) => connectClient(httpAppOf(blender, { closing }), 'json')],
  ['by Connect, protobuf', async (blender) => connectClient(httpAppOf(blender, { closing }), 'proto')],
  ['by the short paths', async (blender) => jsonClient(httpAppOf(blender, { closing }))],
]

/** A blender with five pins and one feed served. Its clock and its randomness are those of a test, so its answers are always the same. */
async function started(port: (blender: Blender) => Promise<Blender>) {
  const pins = Array.from({ length: 5 }, (_, n) => `pin-${n}`)
  const made = await aBlender({ pins })
  await made.tellCatalogue(pins.map((pinId) => aPin(pinId, { creatorId: 'cara', topics: ['tea'] })))
  const settled = portOf((name) => {
    const method = made.blender[name] as (request: unknown, options: object) => Promise<unknown>
    return (request) => made.settle(method(request, call))
  })
  const { feedId } = await settled.getFeed(GetFeedRequest.fromPartial({ userId: 'ada', pageSize: 2 }), call)
  return { client: await port(aFakeBlender(settled)), feedId }
}

const many = Array.from({ length: 100_000 }, (_, n) => `${n}`)

/** The calls: the method, what is asked, and what the answer must have, or the code of the error. */
type Row = readonly [
  what: string,
  ask: (blender: Blender, feedId: string) => Promise<unknown>,
  expected: object | ErrorCode,
]

const rows: readonly Row[] = [
  [
    'GetFeed: a page',
    (blender) => blender.getFeed(GetFeedRequest.fromPartial({ userId: 'bob', pageSize: 3 }), call),
    { items: [{ pinId: 'pin-4', utility: 4 }, { pinId: 'pin-3' }, { pinId: 'pin-2' }] },
  ],
  [
    'GetFeed: a filter, explained',
    (blender) =>
      blender.getFeed(
        GetFeedRequest.fromPartial({ userId: 'bob', explain: true, filter: { excludePinIds: ['pin-4', 'pin-2'] } }),
        call,
      ),
    { items: [{ pinId: 'pin-3' }, { pinId: 'pin-1' }, { pinId: 'pin-0' }] },
  ],
  ['GetFeed: no user', (blender) => blender.getFeed(GetFeedRequest.fromPartial({}), call), 'CALL_INVALID_ARGUMENT'],
  [
    'GetFeed: a cursor that is not ours',
    (blender) => blender.getFeed(GetFeedRequest.fromPartial({ userId: 'bob', pageToken: 'x' }), call),
    'CALL_INVALID_ARGUMENT',
  ],
  [
    'GetRelatedPins: a page',
    (blender) => blender.getRelatedPins(GetRelatedPinsRequest.fromPartial({ pinId: 'pin-4', pageSize: 2 }), call),
    { items: [{ pinId: 'pin-3' }, { pinId: 'pin-2' }] },
  ],
  [
    'GetRelatedPins: no pin',
    (blender) => blender.getRelatedPins(GetRelatedPinsRequest.fromPartial({}), call),
    'CALL_INVALID_ARGUMENT',
  ],
  [
    'RankPins: the list of the caller',
    (blender) => blender.rankPins(RankPinsRequest.fromPartial({ pinIds: ['pin-1', 'nowhere', 'pin-3'] }), call),
    { items: [{ pinId: 'pin-3', utility: 3 }, { pinId: 'pin-1' }, { pinId: 'nowhere', utility: 0 }] },
  ],
  [
    'RankPins: 100,000 pins',
    (blender) => blender.rankPins(RankPinsRequest.fromPartial({ pinIds: many }), call),
    'CALL_INVALID_ARGUMENT',
  ],
  [
    'GetPins: what a page draws, and what is missing',
    (blender) => blender.getPins(GetPinsRequest.fromPartial({ pinIds: ['pin-1', 'nowhere'] }), call),
    { pins: [{ pinId: 'pin-1', creatorId: 'cara' }], missing: [{ pinId: 'nowhere' }] },
  ],
  [
    'SearchByImage: NaN',
    (blender) => blender.searchByImage(SearchByImageRequest.fromPartial({ embedding: [NaN, 1] }), call),
    'CALL_INVALID_ARGUMENT',
  ],
  [
    'ExplainFeed: a pin of the page',
    (blender, feedId) => blender.explainFeed(ExplainFeedRequest.fromPartial({ feedId, pinId: 'pin-4' }), call),
    { userId: 'ada', pins: [{ pinId: 'pin-4', position: 0 }] },
  ],
  [
    'ExplainFeed: a pin that is not there',
    (blender, feedId) => blender.explainFeed(ExplainFeedRequest.fromPartial({ feedId, pinId: 'pin-0' }), call),
    { pins: [], absence: { pinId: 'pin-0', stage: 'page', reason: 'below-page' } },
  ],
  [
    'ExplainFeed: a feed that never was',
    (blender) => blender.explainFeed(ExplainFeedRequest.fromPartial({ feedId: 'f-1' }), call),
    'FEED_MISSING',
  ],
  ['GetCapabilities', (blender) => blender.getCapabilities(GetCapabilitiesRequest.fromPartial({}), call), {}],
]

/** An answer without what differs from run to run: ids of feeds, cursors and how long stages took. */
function settledAnswer(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => {
      if (['feedId', 'nextPageToken', 'tookUs'].includes(name)) return undefined
      return typeof value === 'number' ? Math.fround(value) : value
    }),
  ) as unknown
}

describe.each(ports)('the blender %s', (_port, port) => {
  test.each(rows)('%s', async (_what, ask, expected) => {
    const { client, feedId } = await started(port)
    if (typeof expected === 'string') {
      const error = await ask(client, feedId).catch((reason: unknown) => reason)
      expect(isContractError(error) ? error.code : error).toBe(expected)
      return
    }
    const answer = settledAnswer(await ask(client, feedId))
    expect(answer).toMatchObject(expected)
    const own = await started(async (blender) => blender)
    expect(answer).toEqual(settledAnswer(await ask(own.client, own.feedId)))
  })
})

test('the calls are all calls of the port', () => {
  const called = new Set(rows.map(([what]) => what.split(':')[0]))
  expect([...called].sort()).toEqual(methods.map(([, { name }]) => name).sort())
})
