import { openAccess } from '@freshet/access/access'
import { silentReport } from '@freshet/service/reporting'
import { credentials, makeGenericClientConstructor, status, type ServiceError } from '@grpc/grpc-js'
import { decodeEngagement, encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { Action, Engagement, Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { decodeUserMerge } from '@freshet/contracts/codecs/user-merge'
import { Pin } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import {
  EventIngestService,
  MergeUsersRequest,
  PostEngagementsRequest,
  PostPinsRequest,
  type PostEngagementsResponse,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { grpcSettings } from '@freshet/service/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createIngestGrpcService } from './grpc.ts'
import { nowMs, startIngest } from './testing.ts'

type Outcome = { receipts: PostEngagementsResponse['receipts'] } | { code: number; details: string }

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function start() {
  const ingest = await startIngest()
  const server = await startGrpcServer({
    access: openAccess,
    ...z.object(grpcSettings(0)).parse({}),
    port: 0,
    services: [
      createIngestGrpcService(ingest.ingest, { metrics: ingest.metrics, report: silentReport, maxStreamBatches: 8 }),
    ],
    descriptors: null,
    metrics: ingest.metrics,
  })
  const client = new (makeGenericClientConstructor({}, 'raw'))(`127.0.0.1:${server.port}`, credentials.createInsecure())
  closing.push(
    () => server.close(),
    () => {
      client.close()
    },
  )
  /** Sends any bytes, valid or not. */
  const call = (method: 'postEngagements' | 'postPins' | 'mergeUsers', bytes: Uint8Array): Promise<Outcome> => {
    const { path } = EventIngestService[method]
    const responseDeserialize: (bytes: Buffer) => Partial<PostEngagementsResponse> =
      EventIngestService[method].responseDeserialize
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        (value: Uint8Array) => Buffer.from(value),
        responseDeserialize,
        bytes,
        (error: ServiceError | null, answer?: Partial<PostEngagementsResponse>) => {
          if (error === null) resolve({ receipts: [], ...answer })
          else resolve({ code: error.code, details: error.details })
        },
      )
    })
  }
  return { ...ingest, call }
}

const good = (parts: Partial<Engagement> = {}): Engagement => ({
  ...Engagement.create({ eventId: 'e1', userId: 'u1', action: Action.SAVE, pinId: 'p1', occurredAtMs: nowMs - 1000 }),
  ...parts,
})
const post = (engagements: readonly Engagement[], sentAtMs?: number): Uint8Array =>
  PostEngagementsRequest.encode({ engagements: [...engagements], sentAtMs }).finish()

describe('EventIngest over gRPC', () => {
  it('accepts engagements unchanged, each with its token', async () => {
    const { call, records } = await start()
    const full = good({
      savedToBoardId: 'b',
      sessionId: 's',
      feedId: 'f',
      position: 0,
      surface: Surface.HOME,
      dwellMs: 7,
    })
    const outcome = await call('postEngagements', post([full, good({ eventId: 'e2' })]))
    const token = expect.stringMatching(/^e\d-\d$/) as string
    expect(outcome).toMatchObject({
      receipts: [
        { id: 'e1', code: '', token },
        { id: 'e2', code: '', token },
      ],
    })
    const [first] = await records('engagements.v1')
    const read = decodeEngagement(first?.value as Uint8Array)
    expect(Buffer.from(encodeEngagement(read, nowMs))).toEqual(Buffer.from(first?.value as Uint8Array))
    expect(read).toMatchObject({ boardId: 'b', shown: { feedId: 'f', position: 0, surface: 'home' }, dwellMs: 7 })
  })

  it("corrects clients' clocks", async () => {
    const { call, records } = await start()
    await call('postEngagements', post([good({ occurredAtMs: nowMs + 3_599_000 })], nowMs + 3_600_000))
    const [record] = await records('engagements.v1')
    expect(decodeEngagement(record?.value as Uint8Array).occurredAtMs).toBe(nowMs - 1000)
  })

  it.each([
    ['no id', good({ eventId: '' }), 'EVENT_FIELD_MISSING', 'eventId'],
    ['an id of 129', good({ userId: 'x'.repeat(129) }), 'EVENT_ID_INVALID', 'userId'],
    ['a control character', good({ pinId: 'a\u0000' }), 'EVENT_ID_INVALID', 'pinId'],
    ['bytes that are not UTF-8', good({ userId: 'a\ud800' }), 'EVENT_ID_INVALID', 'userId'],
    ['no action', good({ action: Action.UNSPECIFIED }), 'EVENT_FIELD_MISSING', 'action'],
    ['an unknown action', good({ action: 99 as Action }), 'EVENT_FIELD_VALUE', 'action'],
    ['an unknown surface', good({ surface: 9 as Surface }), 'EVENT_FIELD_VALUE', 'surface'],
    ['no pin', good({ pinId: undefined }), 'EVENT_FIELD_MISSING', 'pinId'],
    ['no time', good({ occurredAtMs: 0 }), 'EVENT_FIELD_MISSING', 'occurredAt'],
    ['a negative time', good({ occurredAtMs: -5 }), 'EVENT_TIME_INVALID', 'occurredAt'],
    ['a time in seconds', good({ occurredAtMs: Math.floor(nowMs / 1000) }), 'EVENT_TIME_UNIT', 'occurredAt'],
    ['a time in microseconds', good({ occurredAtMs: nowMs * 1000 }), 'EVENT_TIME_UNIT', 'occurredAt'],
    ['the far past', good({ occurredAtMs: 1 }), 'EVENT_TIME_PAST', 'occurredAt'],
    ['the far future', good({ occurredAtMs: nowMs * 2 }), 'EVENT_TIME_FUTURE', 'occurredAt'],
    ['a dwell of days', good({ dwellMs: 4_000_000_000 }), 'EVENT_FIELD_VALUE', 'dwellMs'],
  ])('reports event and field of %s, and accepts the valid events of the batch', async (_name, bad, code, field) => {
    const { call, records } = await start()
    const outcome = await call('postEngagements', post([good(), bad]))
    expect(outcome).toMatchObject({ receipts: [{ code: '' }, { token: '', code, field: `engagements[1].${field}` }] })
    expect(await records('engagements.v1')).toHaveLength(1)

    const alone = await call('postEngagements', post([bad]))
    expect(alone).toMatchObject({ code: status.INVALID_ARGUMENT })
    expect((alone as { details: string }).details).toContain(`${code}: engagements[0].${field} `)
  })

  it('merges users, and refuses by name what cannot be merged', async () => {
    const { call, records } = await start()
    const merge = (fromUserId: string, intoUserId: string, occurredAtMs?: number) =>
      call('mergeUsers', MergeUsersRequest.encode({ fromUserId, intoUserId, occurredAtMs }).finish())
    const token = expect.stringMatching(/^m\d-\d$/) as string
    expect(await merge('anon', 'u1', nowMs - 1000)).toMatchObject({ token, receivedAtMs: nowMs, notice: '' })
    const [record] = await records('engagements.v1')
    expect(decodeUserMerge(record?.value as Uint8Array).merge).toMatchObject({
      intoUserId: 'u1',
      occurredAtMs: nowMs - 1000,
    })
    for (const [outcome, code] of [
      [await merge('u1', 'u1'), 'MERGE_SAME_USER: intoUserId'],
      [await merge('', 'u1'), 'EVENT_FIELD_MISSING: fromUserId'],
      [await merge('a', 'u1', Math.floor(nowMs / 1000)), 'EVENT_TIME_UNIT: occurredAt'],
    ] as const) {
      expect(outcome).toMatchObject({ code: status.INVALID_ARGUMENT })
      expect((outcome as { details: string }).details).toContain(code)
    }
    expect(await records('engagements.v1')).toHaveLength(1)
  })

  it('answers a truncated message with INVALID_ARGUMENT', async () => {
    const { call, records } = await start()
    const bytes = post([good(), good()])
    for (const length of [1, 10, bytes.length - 1]) {
      const outcome = await call('postEngagements', bytes.subarray(0, length))
      expect(outcome).toMatchObject({ code: status.INVALID_ARGUMENT })
      expect((outcome as { details: string }).details).toContain('BODY_MALFORMED: PostEngagementsRequest')
    }
    expect(await call('postEngagements', new Uint8Array())).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('BATCH_EMPTY') as string,
    })
    expect(await records('engagements.v1')).toEqual([])
  })

  it('never answers INTERNAL to random bytes', async () => {
    const { call } = await start()
    const bytes = post([good({ sessionId: 's', position: 3 })], nowMs)
    for (let i = 0; i < bytes.length; i++) {
      const changed = Uint8Array.from(bytes, (byte, index) => (index === i ? byte ^ 0xff : byte))
      const outcome = await call('postEngagements', changed)
      if ('code' in outcome) expect(outcome.code).toBe(status.INVALID_ARGUMENT)
    }
  })

  it('refuses pins whose embedding is not finite, all zero or truncated', async () => {
    const { call } = await start()
    const pin = (pinId: string, numbers: readonly number[], cut = 0): Pin =>
      Pin.create({ pinId, visualEmbedding: new Uint8Array(Float32Array.from(numbers).buffer).subarray(cut) })
    const pins = [
      pin('ok', [1, 2]),
      pin('nan', [1, NaN]),
      pin('inf', [-Infinity]),
      pin('zero', [0]),
      pin('cut', [1], 1),
    ]
    const outcome = await call('postPins', PostPinsRequest.encode({ pins }).finish())
    expect(outcome).toMatchObject({
      receipts: [
        { id: 'ok', code: '' },
        { id: 'nan', code: 'EMBEDDING_INVALID', field: 'pins[1].visualEmbedding[1]' },
        { id: 'inf', code: 'EMBEDDING_INVALID', field: 'pins[2].visualEmbedding[0]' },
        { id: 'zero', code: 'EMBEDDING_INVALID', field: 'pins[3].visualEmbedding' },
        { id: 'cut', code: 'EMBEDDING_INVALID', field: 'pins[4].visualEmbedding' },
      ],
    })
  })

  it('A19: reports all problems of every event, with the field names of JSON', async () => {
    const { call } = await start()
    const bad = good({
      eventId: '',
      userId: 'a\ud800',
      action: 99 as Action,
      occurredAtMs: Math.floor(nowMs / 1000),
      surface: 9 as Surface,
      dwellMs: 4_000_000_000,
    })
    const old = good({ userId: 'a b', occurredAtMs: nowMs - 90 * 86_400_000 })
    const outcome = await call('postEngagements', post([good(), bad, old]))
    const receipts = 'receipts' in outcome ? outcome.receipts : []
    expect(receipts.map(({ problems }) => problems.map(({ field, code }) => `${code} ${field}`))).toEqual([
      [],
      [
        'EVENT_ID_INVALID engagements[1].userId',
        'EVENT_TIME_UNIT engagements[1].occurredAt',
        'EVENT_FIELD_VALUE engagements[1].action',
        'EVENT_FIELD_VALUE engagements[1].surface',
        'EVENT_FIELD_MISSING engagements[1].eventId',
        'EVENT_FIELD_VALUE engagements[1].dwellMs',
      ],
      ['EVENT_ID_INVALID engagements[2].userId', 'EVENT_TIME_PAST engagements[2].occurredAt'],
    ])
    const alone = await call('postEngagements', post([bad, old]))
    expect((alone as { details: string }).details.match(/EVENT_[A-Z_]+: engagements/g)).toHaveLength(8)
    const many = await call('postEngagements', post(Array.from({ length: 1_000 }, () => bad)))
    expect((many as { details: string }).details).toMatch(/; and \d{4} more$/)
    expect((many as { details: string }).details.length).toBeLessThan(5_000)
  })

  it('A19: refuses a sentAt in seconds', async () => {
    const { call } = await start()
    const outcome = await call('postEngagements', post([good()], Math.floor(nowMs / 1000)))
    expect(outcome).toMatchObject({ code: status.INVALID_ARGUMENT })
    expect((outcome as { details: string }).details).toContain('EVENT_TIME_UNIT: sentAt is')
  })

  it('A17: accepts pins with spaces in names and times before 1970, but not times in seconds', async () => {
    const { call, records } = await start()
    const pin = (pinId: string, createdAtMs: number): Pin =>
      Pin.create({ pinId, topics: ['Home Decor'], creatorId: 'Ada Lovelace', createdAtMs })
    const pins = [pin('old', Date.UTC(1950, 5, 1)), pin('epoch', 0), pin('seconds', Math.floor(nowMs / 1000))]
    expect(await call('postPins', PostPinsRequest.encode({ pins }).finish())).toMatchObject({
      receipts: [{ code: '' }, { code: '' }, { code: 'EVENT_TIME_UNIT', field: 'pins[2].createdAt' }],
    })
    const changes = (await records('pins.v1')).map(({ key, value }) => decodePinChange(key, value))
    expect(changes.map((change) => (change.kind === 'upsert' ? change.pin.createdAtMs : null)).toSorted()).toEqual([
      Date.UTC(1950, 5, 1),
      0,
    ])
  })

  it('takes when and to whom a pin is shown, and refuses times in seconds', async () => {
    const { call, records } = await start()
    const rules = { availableFromMs: nowMs, expiresAtMs: nowMs + 1, safetyLabels: ['adult'], minAge: 18 }
    const pins = [
      Pin.create({ pinId: 'good', imageSignature: 'p:8f', ...rules }),
      Pin.create({ pinId: 'seconds', expiresAtMs: Math.floor(nowMs / 1000) }),
      Pin.create({ pinId: 'backwards', availableFromMs: nowMs, expiresAtMs: nowMs }),
    ]
    expect(await call('postPins', PostPinsRequest.encode({ pins }).finish())).toMatchObject({
      receipts: [
        { code: '' },
        { code: 'EVENT_TIME_UNIT', field: 'pins[1].expiresAt' },
        { code: 'EVENT_FIELD_VALUE', field: 'pins[2].expiresAt' },
      ],
    })
    const [record] = await records('pins.v1')
    expect(decodePinChange('good', record!.value)).toMatchObject({ pin: { imageSignature: 'p:8f', ...rules } })
  })

  it('answers UNAVAILABLE if the log does not answer', async () => {
    const { call, log } = await start()
    log.fail('LOG_UNAVAILABLE')
    expect(await call('postEngagements', post([good()]))).toMatchObject({ code: status.UNAVAILABLE })
  })
})
