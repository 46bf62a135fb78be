import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodeUserMerge } from '@freshet/contracts/codecs/user-merge'
import { Action } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { PostEngagementsRequest, PostEngagementsResponse } from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { afterEach, describe, expect, test } from 'vitest'
import { anEngagement, nowMs, startIngest } from './testing.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const base = '/freshet.ingest.v1.EventIngest'
const json = { 'content-type': 'application/json', 'connect-protocol-version': '1' }
const save = { eventId: 'e1', userId: 'u1', action: 'ACTION_SAVE', pinId: 'p1', occurredAtMs: String(nowMs - 1_000) }

async function started(options: Parameters<typeof startIngest>[0] = {}) {
  const ingest = await startIngest(options)
  closing.push(() => ingest.app.close())
  const post = (method: string, payload: object | string, headers: Record<string, string> = json) =>
    ingest.app.inject({ method: 'POST', url: `${base}/${method}`, headers, payload })
  return { ...ingest, post }
}

describe('EventIngest by the Connect protocol', () => {
  test('takes proto3 JSON and answers with the tokens', async () => {
    const { post, records } = await started()
    const { statusCode, headers, ...answer } = await post('PostEngagements', { engagements: [save] })
    expect([statusCode, headers['content-type']]).toEqual([200, 'application/json'])
    expect(answer.json()).toEqual({
      receipts: [{ id: 'e1', token: expect.stringMatching(/^e\d-0$/) as string }],
      receivedAtMs: nowMs,
    })
    const [record] = await records('engagements.v1')
    expect(decodeEngagement(record!.value!)).toMatchObject({
      eventId: 'e1',
      userId: 'u1',
      action: 'save',
      subject: { kind: 'pin', pinId: 'p1' },
      occurredAtMs: nowMs - 1_000,
    })
  })

  test('takes protobuf, and answers with protobuf', async () => {
    const { post } = await started()
    const engagement = { ...save, action: Action.SAVE, occurredAtMs: nowMs }
    const request = PostEngagementsRequest.fromPartial({ engagements: [engagement] })
    const payload = Buffer.from(PostEngagementsRequest.encode(request).finish())
    const answer = await post('PostEngagements', payload, { 'content-type': 'application/proto' })
    expect(answer.headers['content-type']).toBe('application/proto')
    expect(PostEngagementsResponse.decode(answer.rawPayload).receipts).toMatchObject([{ id: 'e1', code: '' }])
  })

  test('gzip in both directions', async () => {
    const { post } = await started()
    const pins = Array.from({ length: 200 }, (_, n) => ({ pinId: `pin-${n}` }))
    const headers = { ...json, 'content-encoding': 'gzip', 'accept-encoding': 'gzip' }
    const answer = await post('PostPins', gzipSync(JSON.stringify({ pins })), headers)
    const read = JSON.parse(gunzipSync(answer.rawPayload).toString()) as { receipts: unknown[] }
    expect(read.receipts).toHaveLength(200)
  })

  test('merges users', async () => {
    const { post, records } = await started()
    expect((await post('MergeUsers', { fromUserId: 'a', intoUserId: 'b' })).json()).toMatchObject({
      token: expect.stringMatching(/^m/) as string,
    })
    const [record] = await records('engagements.v1')
    expect(decodeUserMerge(record!.value!)).toMatchObject({ merge: { fromUserId: 'a', intoUserId: 'b' } })
  })

  test('answers a batch like the JSON route: the good events are taken, the bad ones named', async () => {
    const { app, post } = await started()
    const bad = { eventId: 'e2', pinId: '', dwellMs: -1 }
    const overConnect = await post('PostEngagements', { engagements: [save, { ...save, ...bad }] })
    const engagements = [anEngagement(), anEngagement(bad)]
    const inJson = await app.inject({ method: 'POST', url: '/v1/engagements', payload: { engagements } })
    type Receipts = { readonly receipts: readonly { readonly problems?: unknown }[] }
    const problems = [overConnect, inJson].map((answer) => answer.json<Receipts>().receipts[1]!.problems)
    expect(problems[0]).toHaveLength(2)
    expect(problems[0]).toEqual(problems[1])
  })

  test('a request without a good event fails with every problem in the details', async () => {
    const { post, metrics } = await started()
    const answer = await post('PostEngagements', { engagements: [{ ...save, pinId: '', userId: '' }] })
    expect(answer.statusCode).toBe(400)
    const { code, message, details } = answer.json<{ code: string; message: string; details: { debug: object }[] }>()
    const empty = 'is empty; give 1–128 characters without spaces'
    expect([code, message]).toEqual([
      'invalid_argument',
      `EVENT_FIELD_MISSING: engagements[0].userId ${empty}; EVENT_FIELD_MISSING: engagements[0].pinId ${empty}`,
    ])
    expect(details.map(({ debug }) => debug)).toMatchObject([
      { reason: 'EVENT_FIELD_MISSING', metadata: { field: 'engagements[0].userId', retryable: 'false' } },
      { reason: 'EVENT_FIELD_MISSING', metadata: { field: 'engagements[0].pinId' } },
    ])
    expect(await metrics.text()).toContain('freshet_ingest_requests_total{protocol="connect",outcome="rejected"} 1')
  })

  test.each([
    ['MergeUsers', { fromUserId: 'a', intoUserId: 'a' }, 400, 'MERGE_SAME_USER'],
    ['MergeUsers', { fromUserId: 'a', intoUserId: 'b', occurredAtMs: 'soon' }, 400, 'EVENT_TIME_INVALID'],
    ['PostPins', {}, 400, 'BATCH_EMPTY'],
    ['PostPins', { pins: Array.from({ length: 1_001 }, () => ({ pinId: 'p' })) }, 413, 'BATCH_TOO_LARGE'],
    ['PostEngagements', { engagements: [save], sentAtMs: '1760000000' }, 400, 'EVENT_TIME_UNIT'],
    ['PostEngagements', { engagements: [save], clockOffsetMs: 'NaN' }, 400, 'EVENT_FIELD_VALUE'],
    ['PostEngagements', { engagements: [{ ...save, action: 'ACTION_SHOUT' }] }, 400, 'EVENT_FIELD_VALUE'],
    ['PostEngagements', '[]', 400, 'BODY_MALFORMED'],
    ['PostEngagements', '{', 400, 'BODY_MALFORMED'],
    ['PostEngagements', `{"engagements":"${'x'.repeat(70_000)}"}`, 413, 'BODY_TOO_LARGE'],
  ])('%s of %.60j: %i %s', async (method, payload, status, reason) => {
    const { post, records } = await started({ config: { maxBodyBytes: 65_536 } })
    const answer = await post(method, payload)
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toMatchObject({ code: 'invalid_argument', details: [{ debug: { reason } }] })
    expect(await records('engagements.v1')).toEqual([])
  })

  test.each([
    [{ ...json, 'connect-protocol-version': '2' }, '{}', 400, 'connect-protocol-version: is "2"; give 1'],
    [{ ...json, 'connect-timeout-ms': 'soon' }, '{}', 400, 'connect-timeout-ms: is "soon"'],
    [{ 'content-type': 'application/proto' }, 'no message', 400, 'body: is not a PostPinsRequest'],
    [{ 'content-type': 'text/plain' }, 'x', 415, 'send application/json, application/proto'],
    [{ ...json, 'content-encoding': 'deflate' }, '{}', 415, 'content encoding'],
  ])('%j with the body %.20s: %i', async (headers, payload, status, text) => {
    const { post } = await started()
    const answer = await post('PostPins', payload, headers)
    expect([answer.statusCode, answer.json<{ message: string }>().message]).toEqual([
      status,
      expect.stringContaining(text),
    ])
  })

  test('a log that is silent, and too many bytes: unavailable, with Retry-After', async () => {
    const { post, log } = await started({ config: { maxInFlightBytes: 100, appendTimeoutMs: 50 } })
    log.hold()
    const answers = await Promise.all([1, 2].map(() => post('PostEngagements', { engagements: [save] })))
    const reasons = answers.map((answer) => {
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2'])
      const { code, details } = answer.json<{ code: string; details: [{ debug: { reason: string } }] }>()
      return `${code} ${details[0].debug.reason}`
    })
    expect(reasons.sort()).toEqual(['unavailable INGEST_OVERLOADED', 'unavailable INGEST_UNAVAILABLE'])
    log.release()
  })

  test('after its deadline a call appends nothing', async () => {
    const { post, log, records } = await started()
    log.hold()
    const answer = await post('PostEngagements', { engagements: [save] }, { ...json, 'connect-timeout-ms': '20' })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([504, 'deadline_exceeded'])
    log.release()
    expect(await records('engagements.v1')).toEqual([])
  })
})

describe('the README', () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const blocks = page.matchAll(/```\n(curl [\s\S]+?)\n```\n```json ?(\d*)\n([\s\S]*?)\n```/g)
  const examples = Array.from(blocks, ([, command = '', status = '', shown = '']) => [command, status, shown] as const)

  test('has examples', () => {
    expect(examples).toHaveLength(2)
  })

  test.each(examples)('%s', async (command, status, shown) => {
    const { post } = await started()
    const [, method, body] = /EventIngest\/(\w+) .*-d '([\s\S]*)'$/.exec(command)!
    const answer = await post(method!, body!.replaceAll('1769860800000', String(nowMs)))
    expect(answer.statusCode).toBe(status === '' ? 200 : Number(status))
    // The token and the time differ from run to run.
    const settled = (text: string) =>
      text.replaceAll(/e\d-\d+/g, 'token').replaceAll(/"receivedAtMs": ?\d+/g, '"receivedAtMs":1')
    expect(JSON.parse(settled(answer.body))).toEqual(JSON.parse(settled(shown)))
  })
})
