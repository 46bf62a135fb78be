import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pseudonymous } from '@freshet/blender/pseudonymous'
import { openAccess } from '@freshet/access/access'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { pseudonymsOf, pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import { decodeDeadLetter, type DeadLetter } from '@freshet/contracts/codecs/onward'
import { Action } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { PostEngagementsRequest } from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import type { Blender } from '@freshet/contracts/ports/calls'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { topicLayouts, topics } from '@freshet/contracts/topics'
import { ingestSettings, sourceSettings } from '@freshet/event-ingest/config'
import { createConnectors } from '@freshet/event-ingest/connectors/connectors'
import { defaultMapping } from '@freshet/event-ingest/connectors/mapping'
import { startSource } from '@freshet/event-ingest/connectors/source'
import { createIngestGrpcService } from '@freshet/event-ingest/grpc'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createSuppression } from '@freshet/event-ingest/suppression'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createLogger } from '@freshet/service/logging'
import { createMetrics } from '@freshet/service/metrics'
import { createReporter } from '@freshet/service/reporting'
import { grpcSettings, httpSettings } from '@freshet/service/settings'
import { until } from '@freshet/service/testing'
import { credentials, makeGenericClientConstructor, Metadata, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callersOf } from './keys/callers.fixture.ts'
import { serveNothing } from './keys/served.ts'

const person = 'person-4711-of-the-test'
const other = 'person-4712-of-the-test'
const agent = 'Agent-of-the-test/1.0'
const address = '203.0.113.77'
const email = 'me@example.org'
const phone = '+49-30-5550123'
const fullName = 'Ada-of-the-test'
const clockMs = Date.UTC(2026, 0, 1)

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** What applications send beside the fields that a mapping reads, at any depth and by any name. */
const personalFields = {
  ip: address,
  ip_address: address,
  ips: [address, { v4: [address] }],
  userAgent: agent,
  emailAddress: email,
  phone,
  name: fullName,
  address: { street: fullName },
  traits: [{ email, id: person }],
  owner: person,
}
const secrets = [address, agent, email, phone, fullName]
const longAgo = '2025-11-01T00:00:00Z'
const atNoon = '2026-01-01T00:00:00Z'

/** A Segment event that is read, with all that an application may send beside it. */
const aTrack = (parts: object): object => ({
  type: 'track',
  event: 'Pin Saved',
  userId: person,
  timestamp: atNoon,
  context: { ...personalFields, library: { name: fullName } },
  ...personalFields,
  properties: { pin_id: 'p', ...personalFields },
  ...parts,
})
const aCloudEvent = (parts: object): object => ({
  specversion: '1.0',
  id: 'c1',
  source: '/shop',
  type: 'click',
  time: atNoon,
  ...personalFields,
  data: { userId: person, pinId: 'p', ...personalFields },
  ...parts,
})

/** Refused events of Segment. The fifth is of the other user. */
const badTracks = [
  aTrack({ messageId: 'm2', properties: personalFields }),
  aTrack({ messageId: 'm3', type: 'bogus' }),
  aTrack({ messageId: 'm4', timestamp: longAgo }),
  aTrack({ timestamp: undefined }),
  aTrack({ messageId: 'm5', userId: `${person} x`, anonymousId: other }),
  aTrack({ messageId: 'm6', timestamp: 'never' }),
  aTrack({ messageId: 'm9', type: person }),
  `${email} ${person} ${address}`,
]
const badCloudEvents = [
  aCloudEvent({ data: { userId: person, ...personalFields } }),
  aCloudEvent({ specversion: '0.3' }),
  aCloudEvent({ time: longAgo }),
  aCloudEvent({
    data: undefined,
    data_base64: Buffer.from(JSON.stringify({ userId: person, ip: address })).toString('base64'),
  }),
]
const badJson = { action: 'click', occurredAt: atNoon, userId: person, ...personalFields }
/** Records of another system's topics, all of which are refused. */
const badRecords = {
  segment: badTracks.map((event) => JSON.stringify(event)),
  cloudevents: badCloudEvents.map((event) => JSON.stringify(event)),
  json: [
    JSON.stringify(badJson),
    JSON.stringify({ ...badJson, pinId: 'p', occurredAt: longAgo }),
    `{"email": "${email}", "userId": "${person}", "ip": "${address}" "agent": "${agent}"}`,
    `"${person} ${email}`,
  ],
} as const

/** Ingest over all its protocols with a logger, and everything that it writes to the log and to its own log. */
async function anIngest({ pseudonyms = false, broken = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-privacy-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const secretFile = join(folder, 'secret')
  writeFileSync(secretFile, 'a secret of at least thirty-two bytes')
  const pseudonymOf = pseudonymsOf(pseudonymsSchema.parse({ secretFile: pseudonyms ? secretFile : null }))
  const clock = createVirtualClock(clockMs)
  const memory = createMemoryEventLog({ clock })
  await memory.applyTopics(topicLayouts(2))
  const log: EventLog = broken
    ? { ...memory, append: () => Promise.reject(new Error('the log refused a record')) }
    : memory
  const lines: string[] = []
  const logger = createLogger({ name: 'test', level: 'trace', destination: { write: (line) => void lines.push(line) } })
  const metrics = createMetrics()
  const report = createReporter({ logger, metrics, clock })
  const config = z.object(ingestSettings).parse({})
  const suppression = createSuppression(100)
  const ingest = createIngest({ log, clock, config, metrics, report, suppression, pseudonymOf })
  const connectors = createConnectors({ ingest, log, clock, config, metrics, report, pseudonymOf })
  const limits = z.object(httpSettings(0)).parse({})
  const app = createHttpApp({
    ingest,
    connectors,
    access: openAccess,
    clock,
    config,
    limits,
    origins: [],
    metrics,
    report,
  })
  closing.push(() => app.close())
  const send = async (
    method: 'POST' | 'DELETE',
    url: string,
    payload?: object,
    contentType: string = 'application/json',
  ) => {
    const answer = await app.inject({
      method,
      url,
      remoteAddress: address,
      headers: {
        'user-agent': agent,
        'x-forwarded-for': address,
        ...(payload && { 'content-type': contentType }),
      },
      ...(payload && { payload: JSON.stringify(payload) }),
    })
    return { status: answer.statusCode, body: answer.body }
  }
  /** One engagement over gRPC, which is refused. Resolves to its status. */
  const overGrpc = async (): Promise<unknown> => {
    const server = await startGrpcServer({
      ...z.object(grpcSettings(0)).parse({}),
      access: openAccess,
      descriptors: null,
      metrics,
      port: 0,
      services: [createIngestGrpcService(ingest, { metrics, report, maxStreamBatches: 8 })],
    })
    closing.push(() => server.close())
    const client = new (makeGenericClientConstructor({}, 'raw'))(
      `127.0.0.1:${server.port}`,
      credentials.createInsecure(),
      { 'grpc.primary_user_agent': agent },
    )
    closing.push(() => {
      client.close()
    })
    const metadata = new Metadata()
    metadata.set('x-forwarded-for', address)
    const engagement = { eventId: 'g1', userId: person, pinId: '', action: Action.CLICK, occurredAtMs: clockMs }
    const bytes = Buffer.from(
      PostEngagementsRequest.encode(PostEngagementsRequest.fromPartial({ engagements: [engagement] })).finish(),
    )
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        '/freshet.ingest.v1.EventIngest/PostEngagements',
        (value: Buffer) => value,
        (value) => value,
        bytes,
        metadata,
        (error) => resolve(error?.code),
      )
    })
  }
  /** Reads another system's topic, whose records are all refused, until each is counted or the log has refused it. */
  const fromTopic = async (format: keyof typeof badRecords): Promise<void> => {
    const topic = `shop.${format}`
    const theirs = createMemoryEventLog({ clock })
    await theirs.applyTopics([
      { name: topic, partitions: 1, cleanup: 'delete', retentionMs: null, maxRecordBytes: 1 << 20 },
    ])
    const headers = { 'user-agent': agent, 'x-forwarded-for': address }
    const records = badRecords[format].map((value, row) => ({
      key: row === 0 ? person : '',
      value: Buffer.from(value),
      partition: 0,
    }))
    await theirs.append(topic, records, { headers })
    let failures = 0
    const source = startSource({
      source: { ...theirs, committed: () => Promise.resolve([null]), begin: () => Promise.resolve() },
      ingest,
      log,
      mapping: defaultMapping,
      pseudonymOf,
      clock,
      config,
      settings: { ...z.object(sourceSettings).parse({ format }), topic },
      metrics,
      report: (...given) => {
        failures++
        report(...given)
      },
    })
    const counted = async (): Promise<number> => {
      const counts = (await metrics.text()).matchAll(/freshet_connector_events_total\{connector="source".*\} (\d+)/g)
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
    }
    const before = await counted()
    await until('the records are read', async () => failures > 0 || (await counted()) === before + records.length)
    await source.drain?.()
    await theirs.close()
  }
  const letters = async () => {
    const found: DeadLetter[] = []
    await readToEnd({
      log: memory,
      topic: 'dead-letters.v1',
      maxBatchRecords: 1_000,
      onError: (error) => {
        throw error
      },
      onRecords: (_partition, records) =>
        void found.push(...records.map(({ value }) => decodeDeadLetter(value as Uint8Array))),
    })
    return found
  }
  const stored = async (): Promise<string> => {
    const found: LogRecord[] = []
    const reader = await memory.readAll({
      topics: Object.keys(topics),
      maxBatchRecords: 1_000,
      startAt: () => null,
      onError: (error) => {
        throw error
      },
      onBatch: ({ records }) => Promise.resolve(void found.push(...records)),
    })
    await memory.drain()
    await reader.stop()
    return found
      .map(
        ({ key, value, headers }) =>
          `${key} ${value === null ? '' : Buffer.from(value).toString('latin1')} ${JSON.stringify(headers)}`,
      )
      .join('\n')
  }
  const everyCall = async () => [
    await send('POST', '/v1/engagements', {
      eventId: 'e1',
      userId: person,
      action: 'click',
      pinId: 'p',
      occurredAt: '2026-01-01T00:00:00Z',
    }),
    await send('POST', '/v1/engagements', {
      eventId: 'e2',
      userId: person,
      action: 'nonsense',
      pinId: 'p',
      occurredAt: '2026-01-01T00:00:00Z',
    }),
    await send('POST', `/v1/users/${person}/merge`, { intoUserId: other }),
    await send('POST', '/v1/segment/v1/batch', { batch: [aTrack({ messageId: 'm1' }), ...badTracks] }),
    await send('POST', '/v1/segment/v1/track', aTrack({ messageId: 'm7', properties: personalFields })),
    await send('POST', '/v1/segment/v1/identify', aTrack({ messageId: 'm8', anonymousId: `${other} x` })),
    await send('POST', '/v1/cloudevents', badCloudEvents, 'application/cloudevents-batch+json'),
    await send('POST', '/freshet.ingest.v1.EventIngest/PostEngagements', {
      engagements: [{ eventId: 'k1', userId: person, pinId: '', action: 'ACTION_CLICK', occurredAtMs: clockMs }],
    }),
  ]
  /** What is refused or accepted by every path into the log, then an erasure. */
  const everyPath = async () => {
    const answers = await everyCall()
    expect(await overGrpc()).toBe(status.INVALID_ARGUMENT)
    for (const format of ['segment', 'cloudevents', 'json'] as const) await fromTopic(format)
    return [...answers, await send('DELETE', `/v1/users/${person}`)]
  }
  return { send, everyPath, fromTopic, stored, letters, lines, pseudonymOf }
}

/** How many letters each path writes in `everyPath`. */
async function lettersByPath(letters: () => Promise<readonly DeadLetter[]>): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const { sourceTopic } of await letters()) counts[sourceTopic] = (counts[sourceTopic] ?? 0) + 1
  return counts
}
const allLetters = {
  'http:segment': badTracks.length + 2,
  'source:shop.segment': badTracks.length,
  'source:shop.cloudevents': badCloudEvents.length,
  'source:shop.json': badRecords.json.length,
}

describe('what is stored', () => {
  it('has no address and no agent, whichever call they came with', async () => {
    const { everyPath, stored, letters } = await anIngest()
    const statuses = (await everyPath()).map((answer) => answer.status)
    expect(statuses).toEqual([202, 400, 202, 200, 200, 200, 400, 400, 202])
    expect(await lettersByPath(letters)).toEqual(allLetters)
    const all = await stored()
    expect(all).toContain(person)
    for (const secret of secrets) expect(all).not.toContain(secret)
  })

  it('has no id of a user as callers give it, with pseudonyms', async () => {
    const { everyPath, stored, letters, pseudonymOf } = await anIngest({ pseudonyms: true })
    await everyPath()
    expect(await lettersByPath(letters)).toEqual(allLetters)
    const all = await stored()
    for (const id of [person, other, ...secrets]) expect(all).not.toContain(id)
    for (const id of [person, other]) expect(all).toContain(pseudonymOf(id))
  })

  it.each([false, true])(
    'has no dead letter of an erased user, whatever is wrong (pseudonyms: %s)',
    async (pseudonyms) => {
      const { send, fromTopic, letters } = await anIngest({ pseudonyms })
      await send('DELETE', `/v1/users/${person}`)
      const batch = [
        aTrack({ messageId: 'm1', timestamp: longAgo }),
        aTrack({ messageId: 'm2', properties: {} }),
        aTrack({ messageId: 'm3', type: 'bogus' }),
        aTrack({ messageId: 'm4', userId: undefined, anonymousId: person, properties: {} }),
        aTrack({ messageId: 'm5', userId: other, properties: {} }),
      ]
      await send('POST', '/v1/segment/v1/batch', { batch })
      await fromTopic('segment')
      await fromTopic('cloudevents')
      await fromTopic('json')
      const put = await letters()
      // Of another user, of nobody, and of what cannot be read.
      expect(put.map(({ sourceTopic, code }) => `${sourceTopic} ${code}`).toSorted()).toEqual([
        'http:segment EVENT_FIELD_MISSING',
        'source:shop.json BODY_MALFORMED',
        'source:shop.json BODY_MALFORMED',
        'source:shop.segment EVENT_ID_INVALID',
        'source:shop.segment EVENT_SHAPE',
      ])
    },
  )

  it('follows an erasure under the pseudonym: what the user did before is refused', async () => {
    const { send } = await anIngest({ pseudonyms: true })
    const late = { eventId: 'e1', userId: person, action: 'click', pinId: 'p', occurredAt: '2025-12-31T23:59:00Z' }
    expect(await send('POST', '/v1/engagements', late)).toMatchObject({ status: 202 })
    const erased = await send('DELETE', `/v1/users/${person}`)
    expect(JSON.parse(erased.body)).toEqual({ userId: person })
    const refused = await send('POST', '/v1/engagements', { ...late, eventId: 'e2' })
    expect(refused.body).toContain('USER_ERASED')
  })
})

describe('pseudonyms', () => {
  it('are the same for the events of a user and for the feeds that the user asks for', async () => {
    const { pseudonymOf } = await anIngest({ pseudonyms: true })
    const asked: string[] = []
    const answer = (request: { readonly userId: string }) => Promise.resolve(void asked.push(request.userId))
    const inner = {
      getFeed: answer,
      getRelatedPins: answer,
      rankPins: answer,
      searchByImage: answer,
    } as unknown as Blender
    const blender = pseudonymous(inner, pseudonymOf)
    const call = { timeoutMs: 1 }
    for (const ask of [blender.getFeed, blender.getRelatedPins, blender.rankPins, blender.searchByImage])
      await ask({ userId: person } as never, call)
    expect(asked).toEqual(Array.from({ length: 4 }, () => pseudonymOf(person)))
    expect(pseudonymOf(person)).toMatch(/^[\w-]{22}$/)
    expect(pseudonymOf(other)).not.toBe(pseudonymOf(person))
    expect(pseudonymOf('')).toBe('')
  })

  it('need a secret that is long enough', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'freshet-privacy-')), 'secret')
    writeFileSync(file, 'short')
    expect(() => pseudonymsSchema.parse({ secretFile: file })).toThrow(/32/)
    expect(() => pseudonymsSchema.parse({ secretFile: '/none' })).toThrow(/cannot be read/)
  })
})

describe('log lines and answers', () => {
  it('of ingest name no user, no address and no agent, when events are accepted, rejected or lost', async () => {
    for (const broken of [false, true]) {
      const { everyPath, lines } = await anIngest({ broken })
      await everyPath()
      if (broken) expect(lines.length).toBeGreaterThan(0)
      for (const secret of [person, other, ...secrets]) expect(lines.join('')).not.toContain(secret)
    }
  })

  it('contain no key, token or signature, whoever calls what', async () => {
    const { access, good, bad, keys, tokens } = await callersOf()
    closing.push(() => access.close())
    const { apps } = await serveNothing(access)
    const secrets = [...Object.values(keys).map(({ text }) => text), ...Object.values(tokens)]
    const callers = [...Object.values(good), ...Object.values(bad).filter((_, index) => index % 5 === 0)]
    let answers = 0
    for (const { app, routes } of apps) {
      closing.push(() => app.close())
      for (const { method, path } of routes) {
        const url = path.replace('*', 'users/u/state').replaceAll(/:\w+/g, 'u-own')
        for (const credentials of callers) {
          const body = Buffer.from(method === 'GET' || method === 'HEAD' ? '' : '{}')
          const headers = { ...credentials({ method, path: url, body }), 'content-type': 'application/json' }
          const sent = [...secrets, ...Object.values(headers).filter((value) => value.length > 40)]
          const answer = await app.inject({
            method: method as 'POST',
            url,
            headers,
            ...(body.length > 0 && { payload: body }),
          })
          const said = answer.body + JSON.stringify(answer.headers)
          for (const secret of sent) expect(said.includes(secret), `${method} ${url} answers a secret`).toBe(false)
          answers++
        }
      }
    }
    expect(answers).toBeGreaterThan(200)
  }, 120_000)

  it('hide keys, tokens and signatures that a client put where they do not belong', async () => {
    const { keys, tokens, signedAt } = await callersOf()
    const lines: string[] = []
    const logger = createLogger({
      name: 'test',
      level: 'trace',
      destination: { write: (line) => void lines.push(line) },
    })
    const { 'freshet-signature': signature = '' } = signedAt(Date.now())({
      method: 'GET',
      path: '/',
      body: Buffer.alloc(0),
    })
    const secrets = [...Object.values(keys).map(({ text }) => text), ...Object.values(tokens)]
    for (const secret of secrets) {
      logger.info(secret)
      logger.info(
        { url: `/v1/feed?key=${secret}`, headers: { authorization: `Bearer ${secret}`, 'freshet-key': secret } },
        'request',
      )
      logger.warn({ error: `"${secret}" is not a pin id` }, 'refused')
      logger.error({ err: new Error(`cannot read ${secret}`, { cause: new Error(secret) }) }, `failed: ${secret}`)
    }
    logger.info({
      headers: {
        'freshet-signature': signature,
        cookie: 'session=abcdefghijk',
        authorization: 'Basic Zm9vOmJhcmJheg==',
      },
    })
    const all = lines.join('')
    for (const secret of secrets) expect(all).not.toContain(/^f\w_[^_]+_(.+)$/.exec(secret)?.[1] ?? secret)
    for (const secret of [signature, 'abcdefghijk', 'Zm9vOmJhcmJheg']) expect(all).not.toContain(secret)
    // The id of a key is not secret, and helps to find it.
    expect(all).toContain(keys.write.id)
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow()
  })
})
