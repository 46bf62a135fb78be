import { Agent, request as httpRequest } from 'node:http'
import { median, nowMs, type Bench, type ClusterBench } from './bench.ts'
import { comparedRow, quantile, type BenchRow } from './row.ts'
import { startChild } from './servers/child.ts'
import { createServiceProcess } from '../harness/processes.ts'

const batchEvents = 20
const concurrency = 16

interface Side {
  readonly url: string
  cpuMs(): Promise<number>
}

/** Ingest over HTTP JSON, on a log in memory and on LMDB, against bare fastify that parses the same bodies. */
export async function ingestRows(bench: Bench): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const kind of ['memory', 'lmdb'] as const) {
    const child = startChild('ingest.ts')
    try {
      const url = await child.ask<string>('listen', kind)
      const name = kind === 'memory' ? 'log in memory' : 'log in LMDB, on disk before the answer'
      rows.push(...(await against(bench, { url, cpuMs: child.cpuMs }, name)))
    } finally {
      await child.stop()
    }
  }
  return rows
}

/** The process event-ingest on Kafka against bare fastify that parses the same bodies. */
export async function ingestClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  const world = await bench.cluster.fresh()
  const service = await createServiceProcess('event-ingest', { FRESHET_KAFKA_BROKERS: world.brokers.join(',') })
  try {
    await service.start()
    const cpuMs = async (): Promise<number> => (await service.metric('process_cpu_seconds_total')) * 1000
    return await against(bench, { url: `http://127.0.0.1:${service.ports.http}`, cpuMs }, 'log in Kafka, acks of all')
  } finally {
    await service.stop()
    await world.close()
  }
}

async function against(bench: Bench, ours: Side, name: string): Promise<BenchRow[]> {
  const bare = startChild('json.ts')
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  try {
    const { text } = await post(agent, ours.url, bodyOf(0))
    const theirs: Side = { url: await bare.ask<string>('listen', text), cpuMs: bare.cpuMs }
    const forMs = bench.quick ? 300 : 4_000
    for (const { url } of [theirs, ours]) await load(agent, url, forMs / 2)
    const rounds: (readonly [Run, Run])[] = []
    for (let round = 0; round < (bench.quick ? 1 : 5); round++) {
      bench.say(`ingest: ${name}, round ${round + 1}`)
      const both: Run[] = []
      for (const { url, cpuMs } of [theirs, ours]) {
        const before = await cpuMs()
        const run = await load(agent, url, forMs)
        both.push({ ...run, cpuUs: (((await cpuMs()) - before) * 1000) / (run.latencies.length * batchEvents) })
      }
      rounds.push([both[0]!, both[1]!])
    }
    const of = (pick: (run: Run) => number) => ({
      referenceValue: median(rounds.map(([bare]) => pick(bare))),
      value: median(rounds.map(([, ours]) => pick(ours))),
    })
    const shared = {
      reference: 'bare fastify JSON',
      aim: '',
      note: `${name}; batches of ${batchEvents}, ${concurrency} connections, client in this process; medians of ${rounds.length} rounds A B A B`,
    }
    const perSecond = ({ latencies, ms }: Run): number => (latencies.length * batchEvents) / (ms / 1000)
    const title = `ingest, ${name.split(',')[0]}`
    return [
      comparedRow({ ...shared, ...of(perSecond), name: title, unit: 'events/s' }),
      comparedRow({ ...shared, ...of(({ cpuUs }) => cpuUs), name: `${title}, server CPU`, unit: 'µs/event' }),
      comparedRow({
        ...shared,
        ...of(({ latencies }) => quantile(latencies, 0.5)),
        name: `${title}, p50 of a batch`,
        unit: 'ms',
      }),
      comparedRow({
        ...shared,
        ...of(({ latencies }) => quantile(latencies, 0.99)),
        name: `${title}, p99 of a batch`,
        unit: 'ms',
      }),
    ]
  } finally {
    agent.destroy()
    await bare.stop()
  }
}

interface Run {
  readonly latencies: readonly number[]
  readonly ms: number
  readonly cpuUs: number
}

let batches = 0

async function load(agent: Agent, url: string, forMs: number): Promise<Run> {
  const latencies: number[] = []
  const startMs = nowMs()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (nowMs() - startMs < forMs) {
        const body = bodyOf(batches++)
        const atMs = performance.now()
        const { status, text } = await post(agent, url, body)
        if (status !== 202) throw new Error(`ingest answered ${status}: ${text}`)
        latencies.push(performance.now() - atMs)
      }
    }),
  )
  return { latencies, ms: nowMs() - startMs, cpuUs: NaN }
}

function bodyOf(batch: number): string {
  const engagements = Array.from({ length: batchEvents }, (_, i) => ({
    eventId: `event-${batch}-${i}`,
    userId: `user-${(batch * batchEvents + i) % 5_000}`,
    sessionId: `session-${batch}`,
    action: i % 5 === 0 ? 'click' : 'impression',
    pinId: `pin-${(batch * 31 + i * 7) % 10_000}`,
    occurredAt: new Date().toISOString(),
    surface: 'home',
    position: i,
  }))
  return JSON.stringify({ engagements })
}

function post(agent: Agent, url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const call = httpRequest(`${url}/v1/engagements`, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}
