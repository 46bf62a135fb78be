import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pseudonymous } from '@freshet/blender/pseudonymous'
import { openAccess } from '@freshet/access/access'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { pseudonymsOf, pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import type { Blender } from '@freshet/contracts/ports/calls'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { topicLayouts, topics } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createConnectors } from '@freshet/event-ingest/connectors/connectors'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createSuppression } from '@freshet/event-ingest/suppression'
import { createLogger } from '@freshet/service/logging'
import { createMetrics } from '@freshet/service/metrics'
import { createReporter } from '@freshet/service/reporting'
import { httpSettings } from '@freshet/service/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callersOf } from './keys/callers.fixture.ts'
import { serveNothing } from './keys/served.ts'

const person = 'person-4711-of-the-test'
const other = 'person-4712-of-the-test'
const agent = 'Agent-of-the-test/1.0'
const address = '203.0.113.77'
const clockMs = Date.UTC(2026, 0, 1)

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Ingest over HTTP with a logger, and everything that it writes to the log and to its own log. */
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
  const send = async (method: 'POST' | 'DELETE', url: string, payload?: object) => {
    const answer = await app.inject({
      method,
      url,
      remoteAddress: address,
      headers: {
        'user-agent': agent,
        'x-forwarded-for': address,
        ...(payload && { 'content-type': 'application/json' }),
      },
      ...(payload && { payload }),
    })
    return { status: answer.statusCode, body: answer.body }
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
    await send('POST', '/v1/segment/v1/batch', {
      batch: [
        {
          type: 'track',
          event: 'Pin Saved',
          userId: person,
          messageId: 'm1',
          timestamp: '2026-01-01T00:00:00Z',
          context: { ip: address, userAgent: agent },
          properties: { pinId: 'p' },
        },
        {
          type: 'track',
          event: 'Unheard Of',
          userId: person,
          messageId: 'm2',
          timestamp: 'never',
          context: { ip: address, userAgent: agent, traits: { email: 'me@example.org' } },
        },
      ],
    }),
    await send('DELETE', `/v1/users/${person}`),
  ]
  return { send, everyCall, stored, lines, pseudonymOf }
}

describe('what is stored', () => {
  it('has no address and no agent, whichever call they came with', async () => {
    const { everyCall, stored } = await anIngest()
    expect((await everyCall()).map(({ status }) => status)).toEqual([202, 400, 202, 200, 202])
    const all = await stored()
    expect(all).toContain(person)
    for (const secret of [address, agent, 'me@example.org']) expect(all).not.toContain(secret)
  })

  it('has no id of a user as callers give it, with pseudonyms', async () => {
    const { everyCall, stored, pseudonymOf } = await anIngest({ pseudonyms: true })
    const answers = await everyCall()
    expect(answers.some(({ status }) => status === 202)).toBe(true)
    const all = await stored()
    for (const id of [person, other]) expect(all).not.toContain(id)
    for (const id of [person, other]) expect(all).toContain(pseudonymOf(id))
  })

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
      const { everyCall, lines } = await anIngest({ broken })
      await everyCall()
      if (broken) expect(lines.length).toBeGreaterThan(0)
      for (const secret of [person, other, address, agent, 'me@example.org'])
        expect(lines.join('')).not.toContain(secret)
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
    for (const secret of secrets) expect(all).not.toContain(secret.split('_')[2] ?? secret)
    for (const secret of [signature, 'abcdefghijk', 'Zm9vOmJhcmJheg']) expect(all).not.toContain(secret)
    // The id of a key is not secret, and helps to find it.
    expect(all).toContain(keys.write.id)
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow()
  })
})
