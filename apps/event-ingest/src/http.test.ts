import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { logTag } from '@freshet/contracts/followed-log'
import { decodeUserMerge } from '@freshet/contracts/codecs/user-merge'
import { parseToken } from '@freshet/contracts/tokens'
import { UserErasure } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { Engagement } from '@freshet/domain/engagement'
import { connect } from 'node:net'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { listen } from '@freshet/service/http-app'
import { until } from '@freshet/service/testing'
import { describe, expect, it } from 'vitest'
import { anEngagement, ingestsOfTests, nowMs, type startIngest } from './testing.ts'

type Body = Readonly<Record<string, unknown>> & {
  readonly receipts: readonly { id: string; token?: string; code?: string; field?: string; message?: string }[]
  readonly error: { code: string; field: string; message: string; retryable: boolean }
}

const startOne = ingestsOfTests()

async function start(more: Parameters<typeof startIngest>[0] = {}) {
  const started = await startOne(more)
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const answer = await started.app.inject({
      method: 'POST',
      url: path,
      headers: { 'content-type': 'application/json', ...headers },
      payload,
    })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<Body>() }
  }
  const engagements = async (): Promise<Engagement[]> =>
    (await started.records('engagements.v1')).map((record) => decodeEngagement(record.value as Uint8Array))
  return { ...started, post, engagements }
}

describe('POST /v1/engagements', () => {
  it('accepts one event and answers with its token when the log has it', async () => {
    const { post, engagements } = await start()
    const { status, body } = await post('/v1/engagements', anEngagement())
    expect(status).toBe(202)
    expect(body).toMatchObject({ accepted: 1, rejected: 0 })
    expect(body.receipts[0]).toMatchObject({ id: 'e1', token: expect.stringMatching(/^e\d+-0$/) as string })
    expect(await engagements()).toMatchObject([{ eventId: 'e1', userId: 'u1', occurredAtMs: nowMs - 1000 }])
  })

  it('accepts a batch in its order, with a token for each event, and the same event twice', async () => {
    const { post, engagements } = await start()
    const events = ['a', 'b', 'c', 'a'].map((eventId) => anEngagement({ eventId }))
    const { status, body } = await post('/v1/engagements', { engagements: events })
    expect(status).toBe(202)
    expect(body.receipts.map(({ token }) => Number(token?.split('-')[1]))).toEqual([0, 1, 2, 3])
    expect((await engagements()).map(({ eventId }) => eventId)).toEqual(['a', 'b', 'c', 'a'])
  })

  it('answers and stores plain events as it does the same events with an escape in them', async () => {
    const batch = {
      sentAt: new Date(nowMs + 120_000).toISOString(),
      engagements: [
        anEngagement({ eventId: 'a', sessionId: 's', feedId: 'f', position: 3, surface: 'home', dwellMs: 900 }),
        anEngagement({ eventId: 'b', action: 'save', boardId: 'My board', position: 0, surface: 'related' }),
        anEngagement({ eventId: 'c', userId: 'u2', occurredAt: new Date(nowMs + 400_000).toISOString() }),
      ],
    }
    const both = []
    for (const text of [JSON.stringify(batch), JSON.stringify(batch).replace('"eventId"', '"\\u0065ventId"')]) {
      const watched = { watch: { id: () => 'abc' }, foldProblem: () => 'is not "folded"' }
      const { post, engagements } = await start({ watched })
      const { status, body } = await post('/v1/engagements', text)
      both.push({ status, body, engagements: await engagements() })
    }
    expect(both[0]).toEqual(both[1])
    expect(both[0]).toMatchObject({ status: 202, body: { accepted: 3 } })
  })

  it('A2: reports in its answer that state does not follow this log, and names the log in its tokens', async () => {
    let problem: string | null = 'engagements.v1 is another log; nothing is folded until `freshet log adopt`'
    const watched = { watch: { id: () => 'abc' }, foldProblem: () => problem }
    const { post } = await start({ watched })
    const { status, body } = await post('/v1/engagements', anEngagement())
    expect(status).toBe(202)
    expect(body['notice']).toEqual({ code: 'LOG_REPLACED', message: problem })
    expect(body.receipts[0]?.token).toBe(`e${parseToken(body.receipts[0]?.token ?? '')?.partition}-0-${logTag('abc')}`)
    problem = null
    expect((await post('/v1/engagements', anEngagement())).body['notice']).toBeUndefined()
  })

  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const field = (name: string, json: string): string =>
    JSON.stringify(anEngagement({ eventId: 'bad' })).replace(/}$/, `,${JSON.stringify(name)}:${json}}`)

  it.each([
    ['a wrong type', field('userId', '12'), 'EVENT_FIELD_TYPE', 'userId'],
    ['a number as a string', field('position', '"3"'), 'EVENT_FIELD_TYPE', 'position'],
    ['an unknown field', field('colour', '"red"'), 'EVENT_FIELD_UNKNOWN', 'colour'],
    ['__proto__', field('__proto__', '{"userId":"x"}'), 'EVENT_FIELD_UNKNOWN', '__proto__'],
    ['an empty id', field('userId', '""'), 'EVENT_FIELD_MISSING', 'userId'],
    ['an id of 129', field('pinId', JSON.stringify('x'.repeat(129))), 'EVENT_ID_INVALID', 'pinId'],
    ['a control character', field('pinId', '"a\\u0001"'), 'EVENT_ID_INVALID', 'pinId'],
    ['NUL', field('pinId', '"a\\u0000"'), 'EVENT_ID_INVALID', 'pinId'],
    ['a lone surrogate', field('pinId', '"\\udc00"'), 'EVENT_ID_INVALID', 'pinId'],
    ['1e999', field('dwellMs', '1e999'), 'EVENT_FIELD_VALUE', 'dwellMs'],
    ['-1e999', field('position', '-1e999'), 'EVENT_FIELD_VALUE', 'position'],
    ['NaN as a string', field('dwellMs', '"NaN"'), 'EVENT_FIELD_TYPE', 'dwellMs'],
    ['no time', field('occurredAt', 'null'), 'EVENT_FIELD_TYPE', 'occurredAt'],
    ['the far past', field('occurredAt', '"1999-01-01T00:00:00.000Z"'), 'EVENT_TIME_PAST', 'occurredAt'],
    ['the far future', field('occurredAt', '"2999-01-01T00:00:00.000Z"'), 'EVENT_TIME_FUTURE', 'occurredAt'],
    ['deep JSON', field('pinId', nested(10_000)), 'EVENT_TOO_DEEP', 'pinId'],
    ['a string instead of an object', '"click"', 'EVENT_SHAPE', ''],
  ])('names event and field of %s, and takes the good ones of the batch', async (_name, bad, code, name) => {
    const { post, engagements } = await start()
    const good = [anEngagement({ eventId: 'g1' }), anEngagement({ eventId: 'g2' })].map((event) =>
      JSON.stringify(event),
    )
    const { status, body } = await post('/v1/engagements', `{"engagements":[${good[0]},${bad},${good[1]}]}`)
    expect(status).toBe(202)
    expect(body).toMatchObject({ accepted: 2, rejected: 1 })
    const at = name === '' ? 'engagements[1]' : `engagements[1].${name}`
    expect(body.receipts[1]).toMatchObject({ code, field: at, message: expect.stringContaining(at) as string })
    expect((await engagements()).map(({ eventId }) => eventId)).toEqual(['g1', 'g2'])

    const alone = await post('/v1/engagements', `{"engagements":[${bad}]}`)
    expect(alone.status).toBe(400)
    expect(alone.body.receipts[0]).toMatchObject({ code, field: at.replace('[1]', '[0]') })
    expect(await engagements()).toHaveLength(2)
  })

  it.each([
    ['malformed JSON', '{"eventId":"e",}', 400, 'BODY_MALFORMED', 'position 15 (line 1, column 16)'],
    ['a cut body', '{"engagements":[', 400, 'BODY_MALFORMED', 'position 16'],
    ['NaN', '{"dwellMs":NaN}', 400, 'BODY_MALFORMED', 'position 11'],
    ['an empty body', '', 400, 'BODY_MALFORMED', 'empty'],
    [
      'bytes that are not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      400,
      'BODY_MALFORMED',
      'UTF-8',
    ],
    ['an array', '[]', 400, 'BODY_SHAPE', '{"engagements": […]}'],
    ['a number', '1', 400, 'BODY_SHAPE', 'the number 1'],
    ['null', 'null', 400, 'BODY_SHAPE', 'null'],
    ['an empty object', '{}', 400, 'BODY_SHAPE', 'empty object'],
    ['deep nonsense', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'BODY_TOO_DEEP', 'levels deep'],
    ['an object instead of a list', '{"engagements":{}}', 400, 'BODY_SHAPE', 'engagements is an object'],
    ['an empty list', '{"engagements":[]}', 400, 'BATCH_EMPTY', 'at least one'],
    ['a field beside the list', '{"engagements":[],"x":1}', 400, 'EVENT_FIELD_UNKNOWN', 'x is not a field of a batch'],
    ['a wrong sentAt', '{"engagements":[{}],"sentAt":5}', 400, 'EVENT_FIELD_TYPE', 'sentAt'],
    ['a batch too large', `{"engagements":[${'{},'.repeat(1000)}{}]}`, 413, 'BATCH_TOO_LARGE', 'at most 1000'],
    ['a body too large', `"${'x'.repeat(5 << 20)}"`, 413, 'BODY_TOO_LARGE', '4194304 bytes'],
  ])('refuses the whole request: %s', async (_name, payload, status, code, message) => {
    const { post, engagements } = await start()
    const answer = await post('/v1/engagements', payload)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ code, retryable: false })
    expect(answer.body.error.message).toContain(message)
    expect(await engagements()).toEqual([])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/protobuf'])('refuses %s', async (type) => {
    const { post } = await start()
    const { status, body } = await post('/v1/engagements', anEngagement(), { 'content-type': type })
    expect(status).toBe(415)
    expect(body.error).toMatchObject({ code: 'CONTENT_TYPE' })
    expect(body.error.message).toContain(type)
  })

  it('names the field of a single event', async () => {
    const { post } = await start()
    const problem = { code: 'EVENT_FIELD_MISSING', field: 'userId', message: 'userId is missing; give a string' }
    const { status, body } = await post('/v1/engagements', anEngagement({ userId: undefined }))
    expect(status).toBe(400)
    expect(body.receipts).toEqual([{ id: 'e1', ...problem, problems: [problem] }])
  })

  it('A19: reports all problems of every event, including its age', async () => {
    const { post } = await start()
    const old = anEngagement({ userId: 5, position: -1, occurredAt: '2020-01-01T00:00:00Z' })
    const { body } = await post('/v1/engagements', { engagements: [old, anEngagement({ pinId: '', surface: 'moon' })] })
    const problems = body.receipts.map((receipt) => (receipt as unknown as { problems: Body['receipts'] }).problems)
    expect(problems.map((all) => all.map(({ code, field }) => `${code} ${field}`))).toEqual([
      [
        'EVENT_FIELD_TYPE engagements[0].userId',
        'EVENT_FIELD_VALUE engagements[0].position',
        'EVENT_TIME_PAST engagements[0].occurredAt',
      ],
      ['EVENT_FIELD_MISSING engagements[1].pinId', 'EVENT_FIELD_VALUE engagements[1].surface'],
    ])
  })

  it('A17: accepts names with spaces', async () => {
    const { post, engagements } = await start()
    const save = anEngagement({ action: 'save', boardId: 'Home Decor' })
    expect((await post('/v1/engagements', save)).status).toBe(202)
    expect(await engagements()).toMatchObject([{ boardId: 'Home Decor' }])
    const pin = { pinId: 'p', topics: ['Home Decor'], creatorId: 'Ada Lovelace', createdAt: '1950-01-01T00:00:00Z' }
    expect((await post('/v1/pins', pin)).status).toBe(202)
    expect((await post('/v1/engagements', anEngagement({ pinId: 'a b' }))).body.receipts).toMatchObject([
      { message: 'pinId contains a space; give 1–128 characters without spaces' },
    ])
  })

  it('answers unknown paths and methods with the list of routes', async () => {
    const { post, app } = await start()
    expect((await post('/v1/events', {})).body.error).toMatchObject({ code: 'ROUTE_UNKNOWN' })
    const answer = await app.inject({ method: 'GET', url: '/v1/engagements' })
    expect(answer.statusCode).toBe(404)
    expect(answer.json<Body>().error.message).toContain('POST /v1/engagements')
  })

  it('answers 400 to a request that is not HTTP', async () => {
    const { app } = await start()
    const port = await listen(app, '127.0.0.1', 0)
    const socket = connect(port, '127.0.0.1')
    socket.write('NONSENSE\r\n\r\n')
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 .*REQUEST_MALFORMED/s)
  })
})

describe('A17 · compressed bodies', () => {
  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['br', brotliCompressSync],
  ] as const)('are accepted if they are packed by %s', async (encoding, pack) => {
    const { post, engagements } = await start()
    const { status } = await post('/v1/engagements', pack(JSON.stringify(anEngagement())), {
      'content-encoding': encoding,
    })
    expect(status).toBe(202)
    expect(await engagements()).toHaveLength(1)
  })

  it('are refused in other encodings, with the supported ones in a header, and if they are too large when unpacked', async () => {
    const { post } = await start()
    const zipped = await post('/v1/pins', Buffer.from('x'), { 'content-encoding': 'deflate' })
    expect(zipped.status).toBe(415)
    expect(zipped.headers['accept-encoding']).toBe('gzip, zstd, br, identity')
    expect(zipped.body.error).toMatchObject({ code: 'CONTENT_TYPE', field: '' })
    expect(zipped.body.error.message).toBe('the body has the content encoding "deflate"; send gzip, zstd, br, or none')
    const bomb = await post('/v1/pins', gzipSync(Buffer.alloc(64 << 20, ' ')), { 'content-encoding': 'gzip' })
    expect(bomb.status).toBe(413)
    expect(bomb.body.error).toMatchObject({ code: 'BODY_TOO_LARGE', retryable: false })
  })
})

describe("clients' clocks", () => {
  const at = (offsetMs: number): string => new Date(nowMs + offsetMs).toISOString()

  it.each([
    ['an hour', 3_600_000],
    ['a year', 365 * 86_400_000],
  ])('that are %s ahead, as sentAt proves, are set back', async (_name, offMs) => {
    const { post, engagements } = await start()
    const events = [anEngagement({ occurredAt: at(offMs - 1_500) })]
    const { status } = await post('/v1/engagements', { engagements: events, sentAt: at(offMs) })
    expect(status).toBe(202)
    expect((await engagements())[0]?.occurredAtMs).toBe(nowMs - 1_500)
  })

  it.each([
    ['an hour', -3_600_000],
    ['a year', -365 * 86_400_000],
  ])('that are %s behind are corrected by what the client knows of them', async (_name, offMs) => {
    const { post, engagements } = await start()
    const events = [anEngagement({ occurredAt: at(offMs - 1_500) })]
    const body = { engagements: events, sentAt: at(offMs), clockOffsetMs: -offMs }
    expect((await post('/v1/engagements', body)).status).toBe(202)
    expect((await engagements())[0]?.occurredAtMs).toBe(nowMs - 1_500)
  })

  it('A4: are trusted if the network may have been slow', async () => {
    const { post, engagements } = await start()
    const one = async (eventId: string, action: string, agoMs: number) =>
      post('/v1/engagements', {
        engagements: [anEngagement({ eventId, action, occurredAt: at(-agoMs) })],
        sentAt: at(-agoMs),
      })
    await one('e1', 'unhide', 2_000)
    await one('e2', 'hide', 11_000)
    expect((await engagements()).map(({ occurredAtMs }) => occurredAtMs - nowMs)).toEqual([-2_000, -11_000])
  })

  it('A4: can be corrected from the time of arrival in every answer', async () => {
    const { post } = await start()
    const receivedAt = at(0)
    expect((await post('/v1/engagements', anEngagement())).body).toMatchObject({ accepted: 1, receivedAt })
    const old = anEngagement({ occurredAt: at(-365 * 86_400_000) })
    expect((await post('/v1/engagements', old)).body).toMatchObject({ accepted: 0, receivedAt })
  })

  it.each([['5'], [1.5], [4e12], [null]])('A4: a clockOffsetMs of %j is refused', async (clockOffsetMs) => {
    const { post } = await start()
    const { status, body } = await post('/v1/engagements', { engagements: [anEngagement()], clockOffsetMs })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ field: 'clockOffsetMs' })
  })

  it('that are ahead, in requests without sentAt, give times at most five minutes ahead', async () => {
    const { post, engagements } = await start()
    const times = [at(299_000), at(3_600_000)]
    await post('/v1/engagements', { engagements: times.map((occurredAt) => anEngagement({ occurredAt })) })
    expect((await engagements()).map((event) => event.occurredAtMs - nowMs)).toEqual([299_000, 300_000])
  })

  it('may be anywhere in the past if maxEventAgeDays is 0', async () => {
    const { post, engagements } = await start({ config: { maxEventAgeDays: 0 } })
    const { status } = await post('/v1/engagements', anEngagement({ occurredAt: '2013-02-28T10:00:00.000Z' }))
    expect(status).toBe(202)
    expect((await engagements())[0]?.occurredAtMs).toBe(Date.UTC(2013, 1, 28, 10))
  })
})

describe('POST /v1/pins', () => {
  it('accepts pins and removals, each with its token', async () => {
    const { post, records } = await start()
    const pins = [
      { pinId: 'p1', title: 'Shoes', visualEmbedding: [1, 2] },
      { pinId: 'p2', deleted: true },
    ]
    const { status, body } = await post('/v1/pins', { pins })
    expect(status).toBe(202)
    expect(body.receipts).toMatchObject([
      { id: 'p1', token: expect.stringMatching(/^p\d+-\d+$/) as string },
      { id: 'p2', token: expect.stringMatching(/^p\d+-\d+$/) as string },
    ])
    const changes = (await records('pins.v1')).map(({ key, value }) => decodePinChange(key, value))
    expect(changes.map(({ kind }) => kind).toSorted()).toEqual(['delete', 'upsert'])
  })

  it('reports the problems of one pin and accepts the others', async () => {
    const { post } = await start({ config: { embeddingWidth: 2 } })
    const pins = [{ pinId: 'p1' }, { pinId: 'p2', visualEmbedding: [null, 0] }, { pinId: 'p3', visualEmbedding: [1] }]
    const { status, body } = await post('/v1/pins', JSON.stringify({ pins }).replace('null', '1e999'))
    expect(status).toBe(202)
    expect(body.receipts).toMatchObject([
      { id: 'p1' },
      { id: 'p2', code: 'EMBEDDING_INVALID', field: 'pins[1].visualEmbedding[0]' },
      { id: 'p3', code: 'EMBEDDING_INVALID', field: 'pins[2].visualEmbedding' },
    ])
  })
})

describe('the size of an event', () => {
  // A byte of the text is a byte in the log.
  const pinOf = (letters: number) => ({
    pinId: 'p1',
    description: 'x'.repeat(5_000),
    imageUrl: `https://example.org/${'y'.repeat(letters)}`,
  })

  it('may reach maxEventBytes and no byte more; other events of the batch are accepted', async () => {
    const { post, records } = await start({ config: { maxEventBytes: 6_000 } })
    expect((await post('/v1/pins', pinOf(200))).status).toBe(202)
    const [{ value }] = (await records('pins.v1')) as [LogRecord]
    const room = 6_000 - (value?.length ?? 0)
    const { status, body } = await post('/v1/pins', { pins: [pinOf(200 + room), pinOf(201 + room), { pinId: 'p2' }] })
    expect(status).toBe(202)
    expect(body).toMatchObject({ accepted: 2, rejected: 1 })
    expect(body.receipts[1]).toMatchObject({ code: 'EVENT_TOO_LARGE', field: 'pins[1]' })
    expect(body.receipts[1]?.message).toBe(
      'pins[1] takes 6001 bytes in the log; send at most 6000 (ingest.maxEventBytes)',
    )
    expect((await post('/v1/pins', pinOf(201 + room))).status).toBe(400)
  })
})

describe('POST /v1/users/{id}/merge', () => {
  const merge = (app: Awaited<ReturnType<typeof start>>['app'], id: string, body: unknown) =>
    app.inject({ method: 'POST', url: `/v1/users/${id}/merge`, payload: body as object })

  it('appends the merge under the id that is merged, and answers with a token of a merge', async () => {
    const { app, records } = await start()
    const answer = await merge(app, 'anon%2F1', { intoUserId: 'u1' })
    expect(answer.statusCode).toBe(202)
    expect(answer.json<Body>()).toMatchObject({ accepted: 1, receipts: [{ id: 'anon/1' }] })
    expect(parseToken(answer.json<Body>().receipts[0]?.token ?? '')).toMatchObject({ isMerge: true, position: 0 })
    const [record] = await records('engagements.v1')
    expect(record?.key).toBe('anon/1')
    expect(decodeUserMerge(record?.value as Uint8Array)).toEqual({
      kind: 'request',
      merge: { fromUserId: 'anon/1', intoUserId: 'u1', occurredAtMs: nowMs, receivedAtMs: nowMs },
    })
  })

  it('takes the time at which the person became known', async () => {
    const { app, records } = await start()
    await merge(app, 'a', { intoUserId: 'u1', occurredAt: new Date(nowMs - 5_000).toISOString() })
    const [record] = await records('engagements.v1')
    expect(decodeUserMerge(record?.value as Uint8Array).merge.occurredAtMs).toBe(nowMs - 5_000)
  })

  it.each([
    ['the user itself', 'a', { intoUserId: 'a' }, 'MERGE_SAME_USER', 'intoUserId'],
    ['no target', 'a', {}, 'EVENT_FIELD_MISSING', 'intoUserId'],
    ['a target that is not a string', 'a', { intoUserId: 7 }, 'EVENT_FIELD_TYPE', 'intoUserId'],
    ['an id with a blank', 'a%20b', { intoUserId: 'u' }, 'EVENT_ID_INVALID', 'fromUserId'],
    ['a target of 129', 'a', { intoUserId: 'x'.repeat(129) }, 'EVENT_ID_INVALID', 'intoUserId'],
    ['a time that is not one', 'a', { intoUserId: 'u', occurredAt: 'now' }, 'EVENT_TIME_INVALID', 'occurredAt'],
    ['the far past', 'a', { intoUserId: 'u', occurredAt: '1999-01-01T00:00:00Z' }, 'EVENT_TIME_PAST', 'occurredAt'],
    ['another field', 'a', { intoUserId: 'u', into: 'u' }, 'EVENT_FIELD_UNKNOWN', 'into'],
    ['a list', 'a', [], 'BODY_SHAPE', ''],
  ])('refuses %s', async (_, id, body, code, field) => {
    const { app, records } = await start()
    const answer = await merge(app, id, body)
    expect(answer.statusCode).toBe(400)
    const { error, receipts } = answer.json<Body>()
    expect(error ?? receipts[0]).toMatchObject({ code, field })
    expect(await records('engagements.v1')).toEqual([])
  })
})

describe('DELETE /v1/users/{id}', () => {
  it('appends the erasure', async () => {
    const { app, records } = await start()
    const answer = await app.inject({ method: 'DELETE', url: '/v1/users/u%2F1' })
    expect(answer.statusCode).toBe(202)
    const [record] = await records('erasures.v1')
    expect(UserErasure.decode(record?.value as Uint8Array)).toEqual({ userId: 'u/1', erasedAtMs: nowMs })
    expect(record?.key).toBe('u/1')
  })

  it.each(['%20', 'a%00', 'x'.repeat(129)])('refuses %j', async (id) => {
    const { app, records } = await start()
    const answer = await app.inject({ method: 'DELETE', url: `/v1/users/${id}` })
    expect(answer.statusCode).toBe(400)
    expect(answer.json<Body>().error).toMatchObject({ code: 'EVENT_ID_INVALID', field: 'userId' })
    expect(await records('erasures.v1')).toEqual([])
  })
})

describe('when the log does not accept events', () => {
  it('answers 503 with Retry-After and accepts nothing', async () => {
    const { post, log, engagements } = await start()
    log.fail('LOG_UNAVAILABLE')
    const { status, headers, body } = await post('/v1/engagements', anEngagement())
    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('2')
    expect(body.error).toMatchObject({ code: 'INGEST_UNAVAILABLE', retryable: true })
    expect(await engagements()).toEqual([])
  })

  it('answers 503 if the log does not acknowledge in time, although the log may have the event', async () => {
    const { post, log } = await start({ config: { appendTimeoutMs: 100 } })
    log.hold()
    expect((await post('/v1/engagements', anEngagement())).status).toBe(503)
    log.release()
  })

  it('bounds the bytes of requests that wait for the log', async () => {
    const { post, log, ingest, engagements } = await start({
      config: { appendTimeoutMs: 100, maxInFlightBytes: 1 << 20 },
    })
    log.hold()
    const events = Array.from({ length: 900 }, (_, i) => anEngagement({ eventId: `e${i}`, userId: 'u'.repeat(128) }))
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('/v1/engagements', { engagements: events })),
    )
    const codes = answers.map(({ body }) => body.error.code)
    expect(new Set(codes)).toEqual(new Set(['INGEST_UNAVAILABLE', 'INGEST_OVERLOADED']))
    expect(answers.every(({ status, headers }) => status === 503 && headers['retry-after'] === '2')).toBe(true)
    expect(ingest.inFlight.bytes()).toBeLessThanOrEqual(1 << 20)
    expect(ingest.inFlight.bytes()).toBeGreaterThan(0)
    log.release()
    await ingest.inFlight.idle()
    expect(ingest.inFlight.bytes()).toBe(0)
    expect((await post('/v1/engagements', anEngagement())).status).toBe(202)
    expect(await engagements()).toHaveLength(codes.filter((code) => code === 'INGEST_UNAVAILABLE').length * 900 + 1)
  })

  it('A21: counts the bytes of bodies while they arrive, until the client disconnects', async () => {
    const { app, ingest, log, post } = await start()
    const port = await listen(app, '127.0.0.1', 0)
    const socket = connect(port, '127.0.0.1')
    socket.write(
      'POST /v1/pins HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500000\r\n\r\n{',
    )
    await until('the body counts', () => ingest.inFlight.bytes() > 0)
    expect(ingest.inFlight.bytes()).toBeLessThanOrEqual(1_024)
    socket.destroy()
    await until('the body counts no longer', () => ingest.inFlight.bytes() === 0)

    log.hold()
    const pending = post('/v1/engagements', anEngagement())
    await until('the event counts', () => ingest.inFlight.bytes() > 0)
    log.release()
    expect((await pending).status).toBe(202)
    expect(ingest.inFlight.bytes()).toBe(0)
  })

  it('A21: accepts events while 16 clients have sent only a part of large bodies', async () => {
    const { app, ingest, post } = await start()
    const port = await listen(app, '127.0.0.1', 0)
    const head = 'POST /v1/engagements HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
    const sockets = Array.from({ length: 16 }, () => connect(port, '127.0.0.1'))
    for (const socket of sockets) socket.write(`${head}content-length: 4194304\r\n\r\n{`)
    await until('all have begun', () => ingest.inFlight.bytes() >= 16)
    expect((await post('/v1/engagements', anEngagement())).status).toBe(202)
    for (const socket of sockets) socket.destroy()
  })

  it('still reports the problems of invalid events', async () => {
    const { post, log } = await start()
    log.fail('LOG_UNAVAILABLE')
    expect((await post('/v1/engagements', anEngagement({ action: 'like' }))).status).toBe(400)
  })

  it('answers 500 to a defect without its error message', async () => {
    const { post, log } = await start()
    log.fail(new TypeError('secret detail'))
    const { status, body } = await post('/v1/engagements', anEngagement())
    expect(status).toBe(500)
    expect(JSON.stringify(body)).not.toContain('secret')
  })
})

describe('browsers of other origins', () => {
  it('may post if their origin is allowed', async () => {
    const { app, post } = await start({ origins: ['https://www.example.org'] })
    const origin = 'https://www.example.org'
    const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/engagements', headers: { origin } })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers':
        'content-type, content-encoding, freshet-key, authorization, traceparent, tracestate, connect-protocol-version, connect-timeout-ms',
    })
    expect((await post('/v1/engagements', {}, { origin })).headers['access-control-allow-origin']).toBe(origin)
    const other = await post('/v1/engagements', {}, { origin: 'https://evil.example' })
    expect(other.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('metrics', () => {
  it('count events by outcome', async () => {
    const { post, metrics } = await start()
    await post('/v1/engagements', { engagements: [anEngagement(), anEngagement({ action: 'like' }), 1] })
    const text = await metrics.text()
    expect(text).toContain('freshet_ingest_events_total{kind="engagement",outcome="accepted"} 1')
    expect(text).toContain('freshet_ingest_events_total{kind="engagement",outcome="EVENT_FIELD_VALUE"} 1')
    expect(text).toContain('freshet_ingest_events_total{kind="engagement",outcome="EVENT_SHAPE"} 1')
  })
})
