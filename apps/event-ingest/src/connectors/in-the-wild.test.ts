import { describe, expect, it } from 'vitest'
import { ingestsOfTests, nowMs } from '../testing.ts'

const startOne = ingestsOfTests()
const iso = (ms: number): string => new Date(ms).toISOString()
const before = iso(nowMs - 1_000)

interface Receipt {
  readonly id: string
  readonly token?: string
  readonly skipped?: string
  readonly code?: string
  readonly field?: string
  readonly message?: string
}

/** What became of each event, by its index: `token`, why it was skipped, or code and place. */
const verdicts = (receipts: readonly Receipt[]): readonly string[] =>
  receipts.map(({ token, skipped, code, field }) => (token ? 'token' : (skipped ?? `${code} ${field}`)))

/** What other systems send, each with what becomes of it at its index. */
const segment: readonly (readonly [event: unknown, verdict: (at: string) => string])[] = [
  [{ type: 'identify', anonymousId: 'a1', userId: 'u1', traits: { email: 'x@example.org' } }, () => 'token'],
  [{ type: 'identify', userId: 'u1', traits: {} }, () => 'nothing-to-merge'],
  [{ type: 'page', name: 'Home', anonymousId: 'a1', properties: { url: 'https://example.org' } }, () => 'ignored-call'],
  [{ type: 'screen', name: 'Home', anonymousId: 'a1' }, () => 'ignored-call'],
  [{ type: 'group', groupId: 'g', userId: 'u1' }, () => 'ignored-call'],
  [{ type: 'alias', previousId: 'a1', userId: 'u1' }, () => 'ignored-call'],
  [{ anonymousId: 'a1', properties: { pinId: 'p1' }, integrations: { All: true, Mixpanel: false } }, () => 'token'],
  [{ userId: null, anonymousId: 'a1', properties: { pin_id: 17, board_id: 'Home Decor' } }, () => 'token'],
  [
    { userId: 42, properties: { pinId: 'p1', position: '3', dwell_ms: '1200' }, context: { ip: '10.1.2.3' } },
    () => 'token',
  ],
  [{ userId: 'u1', properties: { pinId: 'p1' }, timestamp: undefined }, () => 'token'],
  [{ userId: 'u1', properties: { pinId: 'p1' }, timestamp: '2026-01-31T12:59:58.000+01:00' }, () => 'token'],
  [{ userId: 'u1', properties: { pinId: 'p1' }, timestamp: iso(nowMs + 3_600_000) }, () => 'token'],
  [
    { userId: 'u1', properties: { pinId: 'p1' }, timestamp: iso(nowMs + 864e6) },
    (at) => `EVENT_TIME_FUTURE ${at}.occurredAt`,
  ],
  [
    { userId: 'u1', properties: { pinId: 'p1' }, timestamp: 'yesterday' },
    (at) => `EVENT_TIME_INVALID ${at}.occurredAt`,
  ],
  [{ userId: 'u1', properties: { pinId: 'p1' }, timestamp: 1_769_860_799 }, (at) => `EVENT_TIME_UNIT ${at}.occurredAt`],
  [{ properties: { pinId: 'p1' } }, (at) => `EVENT_FIELD_MISSING ${at}.userId`],
  [{ userId: 'u1' }, (at) => `EVENT_FIELD_MISSING ${at}.pinId`],
  [{ userId: 'u1', properties: [] }, (at) => `EVENT_FIELD_MISSING ${at}.pinId`],
  [{ userId: 'u1', event: undefined }, (at) => `EVENT_FIELD_MISSING ${at}`],
  [{ userId: 'u1', event: 'Order Completed' }, () => 'unknown-name'],
  [{ type: 'Track', userId: 'u1' }, (at) => `EVENT_FIELD_VALUE ${at}.type`],
  [{ userId: 'u1', messageId: undefined, timestamp: undefined }, (at) => `EVENT_FIELD_MISSING ${at}.messageId`],
  [null, (at) => `EVENT_SHAPE ${at}`],
  [[], (at) => `EVENT_SHAPE ${at}`],
]

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const cloudEvents: readonly (readonly [event: unknown, verdict: (at: string) => string])[] = [
  [{}, () => 'token'],
  [{ type: 'com.shop.order' }, () => 'unknown-name'],
  // Names of extensions are the sender's choice.
  [{ code: 'x', message: 'y', kind: 'refused', traceparent: '00-0-0-00', partitionkey: 'u1' }, () => 'token'],
  [{ time: undefined }, () => 'token'],
  [{ data: { user_id: 'u1', pin_id: 7 } }, () => 'token'],
  [{ data: undefined, data_base64: base64('{"userId":"u1","pinId":"p2"}') }, () => 'token'],
  [{ data: undefined, data_base64: '!!!' }, (at) => `EVENT_FIELD_VALUE ${at}.data_base64`],
  [
    { data: undefined, data_base64: base64('['.repeat(500) + ']'.repeat(500)) },
    (at) => `EVENT_TOO_DEEP ${at}.data_base64`,
  ],
  [{ data_base64: base64('{}') }, (at) => `EVENT_FIELD_VALUE ${at}.data_base64`],
  [
    { data: undefined, datacontenttype: 'text/xml', data_base64: base64('<a/>') },
    (at) => `EVENT_FIELD_VALUE ${at}.data_base64`,
  ],
  [{ data: '{"userId":"u1","pinId":"p1"}' }, (at) => `EVENT_FIELD_MISSING ${at}.userId`],
  [{ data: null }, (at) => `EVENT_FIELD_MISSING ${at}.userId`],
  [{ specversion: '0.3' }, (at) => `EVENT_FIELD_VALUE ${at}.specversion`],
  [{ id: 10 }, (at) => `EVENT_FIELD_TYPE ${at}.id`],
  [{ time: 'nope' }, (at) => `EVENT_TIME_INVALID ${at}.occurredAt`],
  [null, (at) => `EVENT_SHAPE ${at}`],
]

describe('events as other systems send them', () => {
  it('of Segment get an answer each, which names what became of them by their index', async () => {
    const { app } = await startOne()
    const track = { type: 'track', event: 'Pin Saved', timestamp: before }
    const batch = segment.map(([event, _], index) =>
      event === null || Array.isArray(event) ? event : { ...track, messageId: `m${index}`, ...(event as object) },
    )
    const answer = await app.inject({
      ...{ method: 'POST', url: '/v1/segment/v1/batch' },
      payload: { batch, sentAt: iso(nowMs), writeKey: 'w', context: {}, integrations: {} },
    })
    const { receipts } = answer.json<{ receipts: readonly Receipt[] }>()
    expect(verdicts(receipts)).toEqual(segment.map(([, verdict], index) => verdict(`batch[${index}]`)))
    for (const { field, message = '' } of receipts) expect(message.startsWith(field ?? '')).toBe(true)
  })

  it('of CloudEvents get an answer each, which names what became of them by their index', async () => {
    const { app } = await startOne()
    const one = { specversion: '1.0', source: '/shop', type: 'save', time: before, data: { userId: 'u1', pinId: 'p1' } }
    const batch = cloudEvents.map(([event], index) =>
      event === null ? event : { ...one, id: `c${index}`, ...(event as object) },
    )
    const answer = await app.inject({
      ...{ method: 'POST', url: '/v1/cloudevents', payload: JSON.stringify(batch) },
      headers: { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' },
    })
    const { receipts } = answer.json<{ receipts: readonly Receipt[] }>()
    expect(verdicts(receipts)).toEqual(cloudEvents.map(([, verdict], index) => verdict(`[${index}]`)))
    const ofText = receipts[cloudEvents.findIndex(([event]) => typeof (event as { data?: unknown }).data === 'string')]
    expect(ofText?.message).toContain('data is the string')
    expect(ofText?.message).toContain('only an object can be mapped')
  })

  const binary = { 'ce-specversion': '1.0', 'ce-id': 'b1', 'ce-source': '/shop', 'ce-type': 'save' }
  const data = '{"userId":"u1","pinId":"p1"}'
  it.each([
    ['JSON', { ...binary, 'content-type': 'application/json' }, data, 202, undefined],
    ['JSON of a vendor', { ...binary, 'content-type': 'application/vnd.shop+json; v=1' }, data, 202, undefined],
    ['XML', { ...binary, 'content-type': 'text/xml' }, '<a/>', 415, 'CONTENT_TYPE'],
    ['no data', { ...binary, 'content-type': 'application/json' }, '', 400, 'BODY_MALFORMED'],
    [
      'no specversion',
      { 'ce-id': 'b', 'ce-source': '/', 'ce-type': 'save', 'content-type': 'application/json' },
      data,
      400,
      'EVENT_FIELD_MISSING',
    ],
    ['no attributes', { 'content-type': 'application/json' }, data, 415, 'CONTENT_TYPE'],
  ])('in binary mode with %s is answered by name', async (_, headers, payload, status, code) => {
    const { app } = await startOne()
    const answer = await app.inject({ method: 'POST', url: '/v1/cloudevents', headers, payload })
    const body = answer.json<{ error?: Receipt; receipts?: readonly Receipt[] }>()
    expect([answer.statusCode, body.error?.code ?? body.receipts?.[0]?.code]).toEqual([status, code])
  })

  it('in an empty batch are named as the batch', async () => {
    const { app } = await startOne()
    const headers = { 'content-type': 'application/cloudevents-batch+json' }
    const answer = await app.inject({ method: 'POST', url: '/v1/cloudevents', headers, payload: '[]' })
    expect(answer.json()).toMatchObject({
      error: { code: 'BATCH_EMPTY', message: 'the batch contains no events; send at least one' },
    })
  })
})
