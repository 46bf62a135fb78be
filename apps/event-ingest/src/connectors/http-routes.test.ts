import { openAccess, type Access } from '@freshet/access/access'
import { readCredentials } from '@freshet/access/credentials'
import type { Caller } from '@freshet/access/caller'
import { mergeOfKnownUser } from '@freshet/adapters/access/ingest-rules'
import { decodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodeUserMerge, isUserMerge } from '@freshet/contracts/codecs/user-merge'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ingestsOfTests, nowMs, type startIngest } from '../testing.ts'

interface Body {
  readonly success?: boolean
  readonly accepted: number
  readonly skipped: number
  readonly rejected: number
  readonly receipts: readonly Readonly<Record<string, unknown>>[]
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean }
}

const startOne = ingestsOfTests()

async function start(more: Parameters<typeof startIngest>[0] = {}) {
  const started = await startOne(more)
  const post = async (url: string, body: unknown, headers: Record<string, string> = {}) => {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const json = { 'content-type': 'application/json', ...headers }
    const answer = await started.app.inject({ method: 'POST', url, headers: json, payload })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<Body>() }
  }
  const logged = async () => {
    const records = await started.records('engagements.v1')
    const values = records.map(({ value }) => value as Uint8Array)
    return {
      engagements: values.filter((value) => !isUserMerge(value)).map(decodeEngagement),
      merges: values.filter(isUserMerge).map((value) => decodeUserMerge(value).merge),
    }
  }
  const letters = async () =>
    (await started.records('dead-letters.v1')).map(({ value }) => decodeDeadLetter(value as Uint8Array))
  const counted = async (connector: string): Promise<Record<string, number>> => {
    const text = await started.metrics.text()
    const lines = text.matchAll(/freshet_connector_events_total\{connector="(\w+)",outcome="([\w-]+)"\} (\d+)/g)
    const own = [...lines].filter(([, of]) => of === connector)
    return Object.fromEntries(own.map(([, , outcome, count]) => [outcome ?? '', Number(count)] as const))
  }
  return { ...started, post, logged, letters, counted }
}

const iso = (ms: number) => new Date(ms).toISOString()

/** A call of Segment's Node SDK, with all that it sends. */
function aTrack(parts: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    messageId: 'node-next-1769860799000-8c1a7a4e',
    type: 'track',
    event: 'Pin Saved',
    userId: 'u1',
    properties: { pin_id: 'p1', board_id: 'Home Decor', surface: 'home', position: 4 },
    context: { library: { name: '@segment/analytics-node', version: '2.2.1' }, campaign: { name: 'spring' } },
    integrations: {},
    timestamp: iso(nowMs - 1000),
    _metadata: { nodeVersion: '24.1.0', jsRuntime: 'node' },
    ...parts,
  }
}

function aCloudEvent(parts: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    specversion: '1.0',
    id: 'A234-1234-1234',
    source: 'https://example.org/app/web',
    type: 'save',
    time: iso(nowMs - 1000),
    datacontenttype: 'application/json',
    subject: 'p1',
    data: { userId: 'u1', pinId: 'p1', boardId: 'shoes' },
    comexampleextension: 'value',
    ...parts,
  }
}

describe('POST /v1/segment/v1/batch', () => {
  it('answers as the SDKs expect, and appends the track calls that it knows', async () => {
    const { post, logged, counted } = await start()
    const batch = [
      aTrack(),
      aTrack({ messageId: 'm2', event: 'Order Completed' }),
      { messageId: 'm3', type: 'page', name: 'Home', userId: 'u1', properties: {}, timestamp: iso(nowMs) },
      aTrack({
        messageId: 'm4',
        event: 'Product Clicked',
        userId: null,
        anonymousId: 'anon-1',
        properties: { product_id: 77 },
      }),
    ]
    const { status, body } = await post('/v1/segment/v1/batch', { batch, sentAt: iso(nowMs) })
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, accepted: 2, skipped: 2, rejected: 0 })
    expect(body.receipts).toMatchObject([
      { id: 'node-next-1769860799000-8c1a7a4e', token: expect.stringMatching(/^e\d-\d+$/) as string },
      { id: 'm2', skipped: 'unknown-name' },
      { id: 'm3', skipped: 'ignored-call' },
      { id: 'm4', token: expect.stringMatching(/^e\d-\d+$/) as string },
    ])
    const { engagements } = await logged()
    expect(engagements).toHaveLength(2)
    expect(engagements.find(({ action }) => action === 'save')).toMatchObject({
      eventId: 'node-next-1769860799000-8c1a7a4e',
      userId: 'u1',
      subject: { pinId: 'p1' },
      boardId: 'Home Decor',
      occurredAtMs: nowMs - 1000,
      shown: { surface: 'home', position: 4 },
    })
    expect(engagements.find(({ action }) => action === 'click')).toMatchObject({
      userId: 'anon-1',
      subject: { pinId: '77' },
    })
    expect(await counted('segment')).toEqual({ accepted: 2, 'unknown-name': 1, 'ignored-call': 1 })
  })

  it('rejects bad events by index with the native codes, keeps the others, and writes a dead letter for each', async () => {
    const { post, logged, letters, counted } = await start()
    const batch = [
      aTrack({ messageId: 'a', properties: { board_id: 'b' } }),
      aTrack({ messageId: 'b' }),
      aTrack({ messageId: 'c', userId: 'with space' }),
      'no object',
      aTrack({ messageId: 'd', timestamp: iso(nowMs + 3 * 86_400_000) }),
      { type: 'track', event: 'Pin Saved', userId: 'u', properties: { pin_id: 'p' } },
      aTrack({ messageId: 'f', type: 'purchase' }),
    ]
    const { status, body } = await post('/v1/segment/v1/batch', { batch, sentAt: iso(nowMs) })
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, accepted: 1, rejected: 6 })
    expect(body.receipts).toMatchObject([
      { id: 'a', code: 'EVENT_FIELD_MISSING', field: 'batch[0].pinId' },
      { id: 'b' },
      { id: 'c', code: 'EVENT_ID_INVALID', field: 'batch[2].userId' },
      { id: '', code: 'EVENT_SHAPE', field: 'batch[3]' },
      {
        id: 'd',
        code: 'EVENT_TIME_FUTURE',
        field: 'batch[4].occurredAt',
        message: expect.stringMatching(/^batch\[4\]\.occurredAt is 3 days/) as string,
      },
      { id: '', code: 'EVENT_FIELD_MISSING', field: 'batch[5].messageId' },
      { id: 'f', code: 'EVENT_FIELD_VALUE', field: 'batch[6].type' },
    ])
    expect((await logged()).engagements).toHaveLength(1)
    const put = await letters()
    expect(put.map(({ code }) => code).sort()).toEqual([
      'EVENT_FIELD_MISSING',
      'EVENT_FIELD_MISSING',
      'EVENT_FIELD_VALUE',
      'EVENT_ID_INVALID',
      'EVENT_SHAPE',
      'EVENT_TIME_FUTURE',
    ])
    expect(put.every(({ sourceTopic }) => sourceTopic === 'http:segment')).toBe(true)
    expect(new Set(put.map(({ sourcePosition }) => sourcePosition)).size).toBe(6)
    expect(await counted('segment')).toMatchObject({ accepted: 1, EVENT_FIELD_MISSING: 2 })
  })

  it('spreads dead letters that name no user over many keys, also those of equal events', async () => {
    const { post, records } = await start()
    await post('/v1/segment/v1/batch', { batch: Array.from({ length: 64 }, () => ({ type: 'bogus' })) })
    const written = await records('dead-letters.v1')
    expect(new Set(written.map(({ key }) => key)).size).toBe(64)
  })

  it('puts aside what the mapping reads of an event, and what says which event it is', async () => {
    const { post, letters } = await start()
    const event = aTrack({
      properties: { board_id: 'b', name: 'Ada', ips: ['192.0.2.1'], pin_id: { id: 'p' } },
      email: 'a@example.org',
    })
    await post('/v1/segment/v1/batch', { batch: [event] })
    const [letter] = await letters()
    expect(JSON.parse(Buffer.from(letter?.value ?? []).toString())).toEqual({
      type: 'track',
      event: 'Pin Saved',
      messageId: 'node-next-1769860799000-8c1a7a4e',
      timestamp: iso(nowMs - 1000),
      userId: 'u1',
      properties: { board_id: 'b' },
    })
  })

  it('gives a repeat the same event ids and the same dead letters, so that a retry doubles nothing', async () => {
    const { post, logged, letters } = await start()
    const batch = [
      aTrack(),
      aTrack({ messageId: 'has a space' }),
      aTrack({ messageId: undefined }),
      aTrack({ messageId: 'bad', properties: {} }),
    ]
    for (const sentAt of [nowMs, nowMs + 5]) await post('/v1/segment/v1/batch', { batch, sentAt: iso(sentAt) })
    const ids = (await logged()).engagements.map(({ eventId }) => eventId)
    expect(ids).toHaveLength(6)
    expect(new Set(ids).size).toBe(3)
    expect(new Set((await letters()).map(({ sourcePosition }) => sourcePosition)).size).toBe(1)
  })

  it('corrects the clock of a client that is ahead, for events and merges', async () => {
    const { post, logged } = await start()
    const aheadMs = 3_600_000
    const batch = [
      aTrack({ timestamp: undefined, originalTimestamp: iso(nowMs - 1000 + aheadMs) }),
      { messageId: 'i', type: 'identify', userId: 'u1', anonymousId: 'anon', timestamp: iso(nowMs - 500 + aheadMs) },
    ]
    const { body } = await post('/v1/segment/v1/batch', { batch, sentAt: iso(nowMs + aheadMs) })
    expect(body).toMatchObject({ accepted: 2 })
    const { engagements, merges } = await logged()
    expect(engagements[0]?.occurredAtMs).toBe(nowMs - 1000)
    expect(merges[0]?.occurredAtMs).toBe(nowMs - 500)
  })

  it('takes gzip', async () => {
    const { post, logged } = await start()
    const body = gzipSync(JSON.stringify({ batch: [aTrack()], sentAt: iso(nowMs) }))
    expect((await post('/v1/segment/v1/batch', body, { 'content-encoding': 'gzip' })).status).toBe(200)
    expect((await logged()).engagements).toHaveLength(1)
  })

  it.each([
    ['what is not JSON', '{"batch": [', 'BODY_MALFORMED'],
    ['no batch', '{}', 'BODY_SHAPE'],
    ['a batch that is not a list', '{"batch": {}}', 'BODY_SHAPE'],
    ['an empty batch', '{"batch": []}', 'BATCH_EMPTY'],
    ['too many events', JSON.stringify({ batch: Array.from({ length: 11 }, () => aTrack()) }), 'BATCH_TOO_LARGE'],
    ['a body nested too deeply', `{"batch": [${'['.repeat(5000)}${']'.repeat(5000)}]}`, 'BODY_TOO_DEEP'],
    ['too many bytes', `{"batch": ["${'x'.repeat(70_000)}"]}`, 'BODY_TOO_LARGE'],
  ])('answers %s with 400, which the SDKs do not send again', async (_what, body, code) => {
    const { post } = await start({ config: { maxBatchEvents: 10, maxBodyBytes: 65_536 } })
    const { status, body: answer } = await post('/v1/segment/v1/batch', body)
    expect([status, answer.error.code, answer.error.retryable]).toEqual([400, code, false])
  })

  it('answers 503 with Retry-After while the log is away, so that the SDKs send again', async () => {
    const { post, log } = await start()
    log.fail('LOG_UNAVAILABLE')
    for (const event of [
      aTrack(),
      aTrack({ properties: {} }),
      { messageId: 'i', type: 'identify', userId: 'u', anonymousId: 'a' },
    ]) {
      const { status, headers, body } = await post('/v1/segment/v1/batch', { batch: [event] })
      expect([status, body.error.code]).toEqual([503, 'INGEST_UNAVAILABLE'])
      expect(headers['retry-after']).toBe('2')
    }
  })
})

describe('the calls of Segment for one event', () => {
  it('track appends it', async () => {
    const { post, logged } = await start()
    const { status, body } = await post('/v1/segment/v1/track', aTrack({ type: undefined, sentAt: iso(nowMs) }))
    expect([status, body.success, body.accepted]).toEqual([200, true, 1])
    expect((await logged()).engagements).toHaveLength(1)
  })

  it('identify merges the anonymous id into the known one, and says why where there is nothing to merge', async () => {
    const { post, logged } = await start()
    const call = {
      messageId: 'i1',
      userId: 'u1',
      anonymousId: 'anon-1',
      traits: { email: 'x@example.org' },
      timestamp: iso(nowMs),
    }
    expect((await post('/v1/segment/v1/identify', call)).body).toMatchObject({ success: true, accepted: 1 })
    expect((await logged()).merges).toMatchObject([{ fromUserId: 'anon-1', intoUserId: 'u1', occurredAtMs: nowMs }])
    for (const more of [{ anonymousId: undefined }, { anonymousId: 'u1' }, { userId: null }]) {
      const { body } = await post('/v1/segment/v1/identify', { ...call, ...more })
      expect(body).toMatchObject({ success: true, skipped: 1, receipts: [{ skipped: 'nothing-to-merge' }] })
    }
    const { body } = await post('/v1/segment/v1/identify', { ...call, anonymousId: 'a b' })
    expect(body.receipts[0]).toMatchObject({ code: 'EVENT_ID_INVALID', field: 'fromUserId' })
  })

  it.each(['page', 'screen', 'alias', 'group'])('%s is ignored and counted', async (call) => {
    const { post, logged, counted } = await start()
    const { status, body } = await post(`/v1/segment/v1/${call}`, { messageId: 'm', userId: 'u1', name: 'Home' })
    expect([status, body.skipped]).toEqual([200, 1])
    expect((await logged()).engagements).toEqual([])
    expect(await counted('segment')).toEqual({ 'ignored-call': 1 })
  })
})

describe('POST /v1/cloudevents', () => {
  const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
  const batched = { 'content-type': 'application/cloudevents-batch+json' }

  it('takes an event in structured mode', async () => {
    const { post, logged } = await start()
    const { status, body } = await post('/v1/cloudevents', aCloudEvent(), structured)
    expect([status, body.accepted, body.receipts[0]?.['id']]).toEqual([202, 1, 'A234-1234-1234'])
    expect((await logged()).engagements).toMatchObject([
      { userId: 'u1', action: 'save', subject: { pinId: 'p1' }, boardId: 'shoes', occurredAtMs: nowMs - 1000 },
    ])
  })

  it('takes an event in binary mode, with its attributes percent-encoded in headers', async () => {
    const { post, logged } = await start()
    const headers = {
      'ce-specversion': '1.0',
      'ce-type': 'click',
      'ce-id': 'Euro%20%E2%82%AC',
      'ce-source': '/app',
      'ce-time': iso(nowMs - 2000),
    }
    const { status, body } = await post('/v1/cloudevents', { userId: 'u1', pin_id: 'p9' }, headers)
    expect([status, body.receipts[0]?.['id']]).toEqual([202, 'Euro €'])
    expect((await logged()).engagements).toMatchObject([
      { action: 'click', subject: { pinId: 'p9' }, occurredAtMs: nowMs - 2000 },
    ])
  })

  it('takes a batch with an answer for each event in its order', async () => {
    const { post, logged } = await start()
    const events = [
      aCloudEvent({ id: '1' }),
      aCloudEvent({ id: '2', type: 'com.example.heartbeat' }),
      aCloudEvent({ id: '3', data: { userId: 'u1' } }),
      aCloudEvent({ id: '4', specversion: '0.3', source: '' }),
      aCloudEvent({
        id: '5',
        data: undefined,
        data_base64: Buffer.from('{"userId":"u2","pinId":"p2"}').toString('base64'),
      }),
    ]
    const { status, body } = await post('/v1/cloudevents', events, batched)
    expect(status).toBe(202)
    expect(body).toMatchObject({ accepted: 2, skipped: 1, rejected: 2 })
    expect(body.receipts).toMatchObject([
      { id: '1', token: expect.any(String) as string },
      { id: '2', skipped: 'unknown-name' },
      { id: '3', code: 'EVENT_FIELD_MISSING', field: '[2].pinId' },
      {
        id: '4',
        problems: [
          { field: '[3].specversion', code: 'EVENT_FIELD_VALUE' },
          { field: '[3].source', code: 'EVENT_FIELD_MISSING' },
        ],
      },
      { id: '5', token: expect.any(String) as string },
    ])
    expect((await logged()).engagements).toHaveLength(2)
  })

  it('knows a repeat by source and id together', async () => {
    const { post, logged } = await start()
    for (const event of [aCloudEvent(), aCloudEvent(), aCloudEvent({ source: '/other' }), aCloudEvent({ id: 'B' })])
      await post('/v1/cloudevents', event, structured)
    const ids = (await logged()).engagements.map(({ eventId }) => eventId)
    expect([ids.length, new Set(ids).size]).toEqual([4, 3])
  })

  it('takes the arrival as the time of an event without one', async () => {
    const { post, logged } = await start()
    await post('/v1/cloudevents', aCloudEvent({ time: undefined }), structured)
    expect((await logged()).engagements[0]?.occurredAtMs).toBe(nowMs)
  })

  it('answers 400 if every event is wrong, and 202 if all were skipped', async () => {
    const { post } = await start()
    const wrong = await post('/v1/cloudevents', aCloudEvent({ data: {} }), structured)
    expect([wrong.status, wrong.body.receipts[0]?.['field']]).toEqual([400, 'userId'])
    expect((await post('/v1/cloudevents', aCloudEvent({ type: 'x' }), structured)).status).toBe(202)
  })

  it.each([
    ['a list in structured mode', [], structured, 400, 'EVENT_SHAPE'],
    ['an object as a batch', {}, batched, 400, 'BODY_SHAPE'],
    ['an empty batch', [], batched, 400, 'BATCH_EMPTY'],
    ['neither of the modes', {}, {}, 415, 'CONTENT_TYPE'],
    ['another format', '<event/>', { 'content-type': 'application/cloudevents+xml' }, 415, 'CONTENT_TYPE'],
    ['what is not JSON', '{', structured, 400, 'BODY_MALFORMED'],
  ])('refuses %s', async (_what, body, headers, status, code) => {
    const { post } = await start()
    const answer = await post('/v1/cloudevents', body, headers)
    expect(answer.status).toBe(status)
    expect(answer.body.error?.code ?? answer.body.receipts[0]?.['code']).toBe(code)
  })
})

/** Knows one write key, beside which a read token is the name of its user. */
const withKeys: Access = {
  ...openAccess,
  open: false,
  identify(valuesOf) {
    const { key, token } = readCredentials(valuesOf)
    const kind = key === 'fw_abc' ? 'write' : 'anonymous'
    const caller: Caller = { kind, keyId: key ?? 'anonymous', userId: token }
    return { caller, signature: null, origins: null }
  },
}

describe('a process with keys', () => {
  const asSegment = { authorization: `Basic ${Buffer.from('fw_abc:').toString('base64')}` }
  const identify = { messageId: 'i1', userId: 'u1', anonymousId: 'anon-1', timestamp: iso(nowMs) }

  it('takes events with a write key, for Segment as the name of basic authentication, and refuses others', async () => {
    const { post } = await start({ access: withKeys })
    expect((await post('/v1/segment/v1/track', aTrack(), asSegment)).status).toBe(200)
    expect((await post('/v1/segment/v1/track', aTrack())).body.error.code).toBe('ACCESS_KEY_MISSING')
    const headers = { 'content-type': 'application/cloudevents+json' }
    expect((await post('/v1/cloudevents', aCloudEvent(), { ...headers, 'freshet-key': 'fw_abc' })).status).toBe(202)
    expect((await post('/v1/cloudevents', aCloudEvent(), headers)).status).toBe(401)
  })

  it('merges users only for the known user, and explains that to a write key alone', async () => {
    const { post, logged } = await start({ access: withKeys })
    const alone = await post('/v1/segment/v1/identify', identify, asSegment)
    expect([alone.status, alone.body.receipts[0]]).toMatchObject([200, { skipped: 'merge-denied' }])
    const as = (user: string) => ({ 'freshet-key': 'fw_abc', authorization: `Bearer ${user}` })
    expect((await post('/v1/segment/v1/identify', identify, as('u2'))).body.skipped).toBe(1)
    expect((await logged()).merges).toEqual([])
    const anonymousId = 'anon-507f191e810c19729de860ea'
    expect((await post('/v1/segment/v1/identify', { ...identify, anonymousId }, as('u1'))).body.accepted).toBe(1)
    expect((await logged()).merges).toMatchObject([{ fromUserId: anonymousId, intoUserId: 'u1' }])
  })

  it('takes what a known user did for nobody who holds a write key', async () => {
    const { post, logged } = await start({ access: withKeys })
    const own = { 'freshet-key': 'fw_abc', authorization: 'Bearer u1' }
    const [skipped] = (await post('/v1/segment/v1/identify', { ...identify, anonymousId: 'bob' }, own)).body.receipts
    expect(skipped).toMatchObject({ skipped: 'merge-denied', message: mergeOfKnownUser })
    expect((await logged()).merges).toEqual([])
  })
})
