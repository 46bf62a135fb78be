import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, status } from '@grpc/grpc-js'
import { startCollector, type FakeCollector } from '@freshet/service/tracing/collector.fixture'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-system-seeing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
/** The promise for one process. */
const maxSeries = 5_000
const hostileRequests = 1_500

describe('what an operator sees of one process', () => {
  let collector: FakeCollector
  let running: ServiceProcess
  let [events, feeds, operations] = ['', '', '']

  beforeAll(async () => {
    collector = await startCollector()
    const [operationsPort = 0, http = 0, feed = 0, grpc = 0] = await freePorts(4)
    running = createNodeProcess({
      name: 'freshet',
      arguments: [
        ...['apps/freshet/src/main.ts', 'dev', '--data', join(folder, 'data'), '--sample', 'false'],
        ...['--console.enabled', 'false', '--operations.port', String(operationsPort)],
        ...['--ingestHttp.port', String(http), '--feedHttp.port', String(feed), '--grpc.port', String(grpc)],
        ...['--tracing.endpoint', collector.endpoint, '--tracing.sampleRatio', '0', '--log.level', 'warn'],
      ],
      env: {},
      ports: { operations: operationsPort, http, grpc },
    })
    events = `http://127.0.0.1:${http}`
    feeds = `http://127.0.0.1:${feed}`
    operations = `http://127.0.0.1:${operationsPort}`
    await running.start(120_000)
  }, 180_000)
  afterAll(async () => {
    await running?.kill()
    await collector?.close()
  })

  const post = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const engagement = (id: string) => ({
    ...{ eventId: `event-${id}`, userId: `user-${id}`, pinId: `pin-${id}`, action: 'save' },
    occurredAt: new Date().toISOString(),
  })
  const metrics = async (accept = 'text/plain'): Promise<string> =>
    (await fetch(`${operations}/metrics`, { headers: { accept } })).text()

  it('the trace of an engagement and of a feed, under the trace of the caller', async () => {
    await post(`${events}/v1/pins`, { pins: [{ pinId: 'pin-a', topics: ['cats'] }] })
    expect((await post(`${events}/v1/engagements`, engagement('a'), { traceparent })).status).toBe(202)
    expect((await post(`${feeds}/v1/feed`, { userId: 'user-a' }, { traceparent })).status).toBe(200)
    const named = (name: string) => collector.spans.find((span) => span.name === name)
    const wanted = ['ingest engagements', 'fold pin-engagements.v1', 'GetFeed', 'Retrieve']
    const missing = () => wanted.filter((name) => named(name)?.traceId !== traceId)
    await eventually('the spans', () => (missing().length === 0 ? true : null), 15_000)
    const spans = new Map(collector.spans.map((span) => [span.spanId, span]))
    const path: string[] = []
    for (let at = named('fold pin-engagements.v1'); at !== undefined; at = spans.get(at.parentSpanId))
      path.push(at.name)
    expect(path).toEqual([
      ...['fold pin-engagements.v1', 'append pin-engagements.v1', 'fold engagements.v1', 'append engagements.v1'],
      'ingest engagements',
    ])
    for (const id of ['user-a', 'pin-a', 'event-a']) expect(collector.bodies.join('')).not.toContain(id)
  })

  it('exemplars, for a scraper that asks for OpenMetrics', async () => {
    const open = await metrics('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
    expect(open).toMatch(new RegExp(`freshet_feed_answer_seconds_bucket\\{.*\\} \\d+ # \\{trace_id="${traceId}"`))
    expect(await metrics()).not.toContain(traceId)
  })

  it('more log lines for a while, by a call to the operations port', async () => {
    const level = () => fetch(`${operations}/v1/log-level`).then((answer) => answer.json())
    const put = (body: object) =>
      fetch(`${operations}/v1/log-level`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect((await put({ level: 'debug', forSeconds: 1 })).status).toBe(200)
    expect(await level()).toMatchObject({ level: 'debug', configured: 'warn' })
    const isBack = async () => ((await level()) as { readonly until: string | null }).until === null
    await eventually('the level of the settings', async () => ((await isBack()) ? true : null), 10_000)
    expect(await level()).toMatchObject({ level: 'warn' })
    expect((await put({ level: 'loud' })).status).toBe(400)
  })

  it(`fewer than ${maxSeries} series, and no ids in them, after ${hostileRequests} requests that are each different`, async () => {
    const mark = 'hostile4711'
    const hostile: readonly ((n: string) => Promise<Response>)[] = [
      (n) => fetch(`${events}/${n}/v1/engagements?${n}=1`),
      (n) => fetch(`${feeds}/v1/feed/${n}`, { headers: { 'freshet-key': `fw_${n}` } }),
      (n) => fetch(`${operations}/v1/users/${n}/state`),
      (n) => fetch(`${operations}/v1/${n}`, { method: 'PUT' }),
      (n) => fetch(`${operations}/metrics/${n}`, { headers: { accept: n } }),
      (n) =>
        post(`${events}/v1/engagements`, engagement(n), { traceparent: n, 'freshet-key': n, origin: `https://${n}` }),
      (n) => post(`${events}/v1/engagements`, { ...engagement(n), action: n }),
      (n) => post(`${events}/v1/engagements`, `{"${n}":`),
      (n) => post(`${events}/v1/segment/v1/track`, { type: n, event: n, userId: n, messageId: n }),
      (n) => post(`${events}/v1/cloudevents`, { specversion: n, type: n, source: n, id: n }),
      (n) => post(`${events}/v1/pins`, { pins: [{ pinId: n, topics: [n], locale: n }] }),
      (n) => post(`${feeds}/v1/feed`, { userId: n, locale: n, surface: n }),
      (n) => post(`${feeds}/freshet.blending.v1.Blender/${n}`, { userId: n }),
      (n) => post(`${feeds}/freshet.blending.v1.Blender/GetFeed`, { userId: n, pageToken: n }),
      (n) => post(`${feeds}/v1/rank`, { userId: n, pinIds: [n] }),
    ]
    const statuses = new Map<number, number>()
    for (let i = 0; i < hostileRequests; i += 30) {
      const answers = Array.from({ length: 30 }, (_, at) => hostile[at % hostile.length]!(`${mark}-${i + at}`))
      for (const answer of await Promise.all(answers)) {
        await answer.arrayBuffer()
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      }
    }
    expect([...statuses.keys()].filter((code) => code >= 500)).toEqual([])
    const client = new Client(`127.0.0.1:${running.ports.grpc}`, credentials.createInsecure())
    const call = (path: string): Promise<unknown> =>
      new Promise((resolve) => {
        const bytes = (given: Buffer) => given
        client.makeUnaryRequest(path, bytes, bytes, Buffer.from(path), (error) => resolve(error?.code))
      })
    const called = Array.from({ length: 300 }, (_, i) => `${mark}-${i}`)
    const codes = await Promise.all(
      called.flatMap((n) => [call(`/${n}/Get`), call(`/freshet.blending.v1.Blender/${n}`)]),
    )
    expect(new Set(codes)).toEqual(new Set([status.UNIMPLEMENTED]))
    client.close()
    const text = await metrics()
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    console.log(`${series.length} series after ${hostileRequests} hostile requests`, Object.fromEntries(statuses))
    expect(series.length).toBeGreaterThan(200)
    expect(series.length).toBeLessThan(maxSeries)
    expect(text).not.toContain(mark)
  })

  it('all spans, when it stops', async () => {
    const before = collector.spans.length
    expect((await post(`${events}/v1/engagements`, engagement('last'), { traceparent })).status).toBe(202)
    await running.stop()
    expect(collector.spans.slice(before).map(({ name }) => name)).toContain('ingest engagements')
  })
})
