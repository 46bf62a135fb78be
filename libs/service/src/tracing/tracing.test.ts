import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inSpan, type TraceHeaders } from '@freshet/domain/tracing'
import { afterEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../config.ts'
import { describeConfig } from '../setting-rows.ts'
import { createMetrics } from '../metrics.ts'
import { serviceSettings } from '../settings.ts'
import { freePort, until } from '../testing.ts'
import { wallClock } from '../wall-clock.ts'
import { z } from 'zod'
import { activeTrace, traceIds } from './active-trace.ts'
import { startCollector, type FakeCollector } from './collector.fixture.ts'
import { openTracing, type OpenTracing } from './open-tracing.ts'
import { tracesUrl } from './tracing-settings.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const sampled: TraceHeaders = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'congo=t61rcWkgMzE' }
const unsampled: TraceHeaders = { traceparent: `00-${traceId}-00f067aa0ba902b7-00` }

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function opened(
  given: { readonly endpoint?: string; readonly sampleRatio?: number; readonly trustCallers?: boolean } = {},
): Promise<{ tracing: OpenTracing; metrics: ReturnType<typeof createMetrics>; reports: string[] }> {
  const metrics = createMetrics()
  const reports: string[] = []
  const tracing = await openTracing({
    ...{ name: 'test-service', version: '1.2.3', instance: 'pod-0', metrics, clock: wallClock },
    config: { endpoint: '', sampleRatio: 1, trustCallers: true, ...given },
    report: (error) => void reports.push((error as { code: string }).code),
  })
  closing.push(() => tracing.close())
  return { tracing, metrics, reports }
}

async function collected(): Promise<FakeCollector> {
  const collector = await startCollector()
  closing.push(() => collector.close())
  return collector
}

describe('traces', () => {
  it('reach the collector with service, parent, attributes and the code of an error, but not its message', async () => {
    const collector = await collected()
    const { tracing, metrics } = await opened({ endpoint: collector.endpoint })
    const failing = inSpan(tracing, { name: 'outer', kind: 'server', parent: sampled, entry: true }, (headers) =>
      inSpan(tracing, { name: 'inner', kind: 'client', parent: headers, attributes: { n: 3 } }, async () => {
        throw Object.assign(new Error('user ann is not known'), { code: 'CALL_UNAVAILABLE' })
      }),
    )
    await expect(failing).rejects.toThrow('ann')
    await tracing.close()
    const [inner, outer] = collector.spans
    expect(outer).toMatchObject({ service: 'test-service', name: 'outer', kind: 2, traceId })
    expect(outer?.parentSpanId).toBe('00f067aa0ba902b7')
    expect(inner).toMatchObject({ name: 'inner', kind: 3, traceId, parentSpanId: outer?.spanId })
    expect(inner?.attributes).toEqual({ n: 3, 'error.type': 'CALL_UNAVAILABLE' })
    expect([inner?.status, inner?.message]).toEqual([2, 'CALL_UNAVAILABLE'])
    expect(collector.bodies.join()).not.toContain('ann')
    expect(await metrics.text()).toContain('freshet_trace_spans_total{outcome="sent"} 2')
  })

  it('pass the vendor data of the caller on', async () => {
    const { tracing } = await opened({ endpoint: 'http://127.0.0.1:9' })
    const span = tracing.start({ name: 'a', kind: 'server', parent: sampled })
    expect(span?.headers).toMatchObject({ tracestate: sampled['tracestate'] })
    expect(span?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
  })

  it.each([
    ['a parent that is recorded', sampled, 0, false, true],
    ['a parent that is not recorded', unsampled, 1, true, false],
    ['an entry without a parent at ratio 1', {}, 1, true, true],
    ['an entry without a parent at ratio 0', {}, 0, true, false],
    ['an inner call without a parent', {}, 1, false, false],
    ['an invalid parent at an inner call', { traceparent: 'nonsense' }, 1, false, false],
    [
      'a parent of zeros at an inner call',
      { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` },
      1,
      false,
      false,
    ],
  ] as const)('record %s: %j, ratio %d, entry %s → %s', async (_what, parent, sampleRatio, entry, recorded) => {
    const { tracing } = await opened({ endpoint: 'http://127.0.0.1:9', sampleRatio })
    const span = tracing.start({ name: 'a', kind: 'server', parent, entry })
    expect(span !== null).toBe(recorded)
  })

  it.each([
    ['a caller that is trusted', sampled, { sampleRatio: 0 }, true],
    ['a caller that records everything', sampled, { sampleRatio: 0, trustCallers: false }, false],
    ['a caller that records nothing', unsampled, { sampleRatio: 1, trustCallers: false }, true],
    ['a process without a collector', sampled, { endpoint: '', trustCallers: false }, false],
  ] as const)('enter from %s as the settings say', async (_what, given, config, recorded) => {
    const { tracing } = await opened({ endpoint: 'http://127.0.0.1:9', ...config })
    const parent = tracing.entering(given)
    expect(traceIds(parent)).toEqual({ traceId, spanId: '00f067aa0ba902b7', sampled: recorded })
    expect(parent['tracestate']).toBe(given['tracestate'])
    expect(tracing.start({ name: 'a', kind: 'server', parent, entry: true }) !== null).toBe(recorded)
  })

  it('record about the given share of requests', async () => {
    const { tracing } = await opened({ endpoint: 'http://127.0.0.1:9', sampleRatio: 0.1 })
    let recorded = 0
    for (let i = 0; i < 10_000; i++)
      if (tracing.start({ name: 'a', kind: 'server', parent: {}, entry: true }) !== null) recorded++
    expect(recorded).toBeGreaterThan(700)
    expect(recorded).toBeLessThan(1_300)
  })

  it('are active for what they lead to, and for nothing else', async () => {
    const { tracing } = await opened()
    const seen: unknown[] = []
    const one = tracing.run(sampled, async () => {
      await sleep(1)
      seen.push(activeTrace()?.traceId)
    })
    seen.push(activeTrace())
    await one
    expect(seen).toEqual([null, traceId])
  })

  it('without an endpoint, are passed on and not recorded', async () => {
    const { tracing, metrics } = await opened()
    expect(tracing.records).toBe(false)
    const parents = await inSpan(
      tracing,
      { name: 'a', kind: 'server', parent: sampled, entry: true },
      async (headers) => [headers, activeTrace()?.traceId],
    )
    expect(parents[0]).toBe(sampled)
    expect(parents[1]).toBe(traceId)
    expect(await metrics.text()).not.toContain('freshet_trace_spans_total{')
  })
})

describe('a collector', () => {
  it('that is away costs spans, one report and no error, and gets spans when it is back', async () => {
    const port = await freePort()
    const { tracing, metrics, reports } = await opened({ endpoint: `http://127.0.0.1:${port}` })
    const send = () => tracing.start({ name: 'a', kind: 'server', parent: sampled })?.end()
    const counted = async (outcome: string) =>
      Number(new RegExp(`freshet_trace_spans_total{outcome="${outcome}"} (\\d+)`).exec(await metrics.text())?.[1] ?? 0)
    send()
    await until('the loss of a span', async () => (await counted('failed')) === 1, 20_000)
    send()
    await until('the loss of another', async () => (await counted('failed')) === 2, 20_000)
    expect(reports).toEqual(['TRACES_LOST'])
    const collector = await startCollector(port)
    closing.push(() => collector.close())
    send()
    await until('a span that arrives', async () => (await counted('sent')) === 1, 20_000)
    expect(collector.spans).toHaveLength(1)
  }, 60_000)

  it('that never answers does not hold up the stop', async () => {
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const { port } = server.address() as { port: number }
    const { tracing } = await opened({ endpoint: `http://127.0.0.1:${port}` })
    tracing.start({ name: 'a', kind: 'server', parent: sampled })?.end()
    const startMs = performance.now()
    await tracing.close()
    expect(performance.now() - startMs).toBeLessThan(4_000)
  })
})

describe('settings of traces', () => {
  const schema = z.object(serviceSettings(9464))
  const load = (env: Record<string, string>) => loadConfig(schema, { env }).tracing

  it('are off by default, and a small share when on', () => {
    expect(load({})).toEqual({ endpoint: '', sampleRatio: 0.01, trustCallers: true })
  })

  it('show their defaults in tables and --help', () => {
    const rows = describeConfig(schema).filter(({ path }) => path.startsWith('tracing.'))
    expect(rows.map((row) => row.default)).toEqual(['""', '0.01', 'true'])
  })

  it('come from the environment', () => {
    const env = { FRESHET_TRACING_ENDPOINT: ' https://collector:4318 ', FRESHET_TRACING_SAMPLE_RATIO: '0.5' }
    expect(load(env)).toEqual({ endpoint: 'https://collector:4318', sampleRatio: 0.5, trustCallers: true })
  })

  it.each([
    ['FRESHET_TRACING_ENDPOINT', 'collector:4318', 'is not an address like http://collector:4318'],
    ['FRESHET_TRACING_ENDPOINT', 'grpc://collector:4317', 'OTLP over gRPC'],
    ['FRESHET_TRACING_ENDPOINT', 'http://collector:4318?x=1', 'contains a query'],
    ['FRESHET_TRACING_SAMPLE_RATIO', '1.5', 'tracing.sampleRatio = 1.5'],
    ['FRESHET_TRACING_SAMPLE_RATIO', 'often', 'tracing.sampleRatio = "often"'],
  ])('%s=%s is refused: %s', (name, value, text) => {
    expect(() => load({ [name]: value })).toThrow(text)
  })

  it.each([
    ['http://c:4318', 'http://c:4318/v1/traces'],
    ['http://c:4318/', 'http://c:4318/v1/traces'],
    ['http://c:4318/otlp', 'http://c:4318/otlp/v1/traces'],
    ['http://c:4318/v1/traces', 'http://c:4318/v1/traces'],
  ])('%s means %s', (endpoint, url) => {
    expect(tracesUrl(endpoint)).toBe(url)
  })
})
