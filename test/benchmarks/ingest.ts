import { median, type Bench, type ClusterBench } from './bench.ts'
import { batchEvents, createLoadClient, type LoadClient, type LoadRun } from './ingest-load.ts'
import { streamLoad } from './ingest-stream.ts'
import { comparedRow, quantile, type BenchRow } from './row.ts'
import { startChild, type Child } from './servers/child.ts'
import type { IngestAddress, IngestServer } from './servers/ingest.ts'

const names = {
  memory: 'log in memory',
  lmdb: 'log in LMDB, on disk before the answer',
  kafka: 'log in Kafka, acks of all',
} as const

/** Ingest over HTTP JSON with keys and limits, on a log in memory and on LMDB, against bare fastify that parses the same bodies. */
export async function ingestRows(bench: Bench): Promise<BenchRow[]> {
  return [
    ...(await against(bench, { kind: 'memory', brokers: [] })),
    ...(await against(bench, { kind: 'lmdb', brokers: [] })),
  ]
}

/** The same on Kafka. */
export async function ingestClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  const world = await bench.cluster.fresh()
  try {
    return await against(bench, { kind: 'kafka', brokers: world.brokers })
  } finally {
    await world.close()
  }
}

interface Side {
  readonly child: Child
  readonly client: LoadClient
}

interface Measured {
  readonly perSecond: number
  readonly cpuUs: number
  readonly p99Ms: number
}

async function against(bench: Bench, server: IngestServer): Promise<BenchRow[]> {
  const name = names[server.kind]
  const [bareChild, oursChild] = [startChild('json.ts'), startChild('ingest.ts')]
  try {
    const address = await oursChild.ask<IngestAddress>('listen', server)
    const ours = { child: oursChild, client: createLoadClient(address.httpPort, address.key) }
    const barePort = await bareChild.ask<number>('listen', await ours.client.once())
    const bare = { child: bareChild, client: createLoadClient(barePort, address.key) }
    // Many short rounds: on a busy machine the two sides of a long one meet different neighbours.
    const batches = bench.quick ? 100 : 1_000
    const stream = (count: number) => () => streamLoad(address.grpcPort, address.key, count)
    for (const { client } of [bare, ours]) await client.closed(6 * batches)
    await stream(6 * batches)()

    const rounds = { bare: [] as Measured[], ours: [] as Measured[], stream: [] as Measured[] }
    const half = { bare: [] as number[], ours: [] as number[] }
    for (let round = 0; round < (bench.quick ? 1 : 15); round++) {
      bench.say(`ingest: ${name}, round ${round + 1}`)
      rounds.bare.push(await measured(bare, () => bare.client.closed(batches)))
      rounds.ours.push(await measured(ours, () => ours.client.closed(batches)))
      rounds.stream.push(await measured(ours, stream(batches)))
      if (round % 3 > 0) continue
      for (const which of ['bare', 'ours'] as const) {
        const { client, child } = which === 'bare' ? bare : ours
        const rate = median(rounds[which].map(({ perSecond }) => perSecond)) / batchEvents / 2
        half[which].push(quantile((await client.open(rate, 1.5 * batches)).latencies, 0.99))
        await child.ask('clear')
      }
    }

    const title = `ingest, ${name.split(',')[0]}`
    const of = (pick: (run: Measured) => number) => ({
      referenceValue: median(rounds.bare.map(pick)),
      value: median(rounds.ours.map(pick)),
    })
    const byRound = (name: string, ratios: readonly number[]): string =>
      `${name} by round: median ${median(ratios).toFixed(2)}, ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
    const rates = rounds.ours.map(({ perSecond }, at) => perSecond / rounds.bare[at]!.perSecond)
    const cpu = rounds.ours.map(({ cpuUs }, at) => rounds.bare[at]!.cpuUs / cpuUs)
    const streamed = rounds.stream.map(({ cpuUs }, at) => cpuUs / rounds.ours[at]!.cpuUs)
    const noise = `${byRound('ratio of rates', rates)}; ${byRound('CPU of bare ÷ ingest', cpu)}; ${byRound('CPU of stream ÷ HTTP', streamed)}`
    const shared = {
      reference: 'bare fastify JSON',
      aim: '',
      note: `${name}; a key, limits by key, user and address; batches of ${batchEvents}, 16 connections, client in this process; medians of ${rounds.ours.length} rounds A B A B; ${noise}`,
    }
    const httpCpu = of(({ cpuUs }) => cpuUs)
    return [
      comparedRow({
        ...shared,
        ...of(({ perSecond }) => perSecond),
        name: title,
        unit: 'events/s',
        aim: 'ratio ≥ 0.5',
      }),
      comparedRow({ ...shared, ...httpCpu, name: `${title}, server CPU`, unit: 'µs/event' }),
      comparedRow({ ...shared, ...of(({ p99Ms }) => p99Ms), name: `${title}, p99 of a batch`, unit: 'ms' }),
      comparedRow({
        ...shared,
        referenceValue: median(half.bare),
        value: median(half.ours),
        name: `${title}, p99 at half of its maximum`,
        unit: 'ms',
        aim: 'ratio ≤ 3',
      }),
      comparedRow({
        ...shared,
        value: median(rounds.stream.map(({ cpuUs }) => cpuUs)),
        referenceValue: httpCpu.value,
        reference: 'the same by HTTP',
        name: `${title}, gRPC stream, server CPU`,
        unit: 'µs/event',
        aim: 'ratio ≤ 1',
      }),
    ]
  } finally {
    await Promise.all([bareChild.stop(), oursChild.stop()])
  }
}

async function measured({ child }: Pick<Side, 'child'>, load: () => Promise<LoadRun>): Promise<Measured> {
  const beforeMs = await child.cpuMs()
  const { latencies, ms } = await load()
  const cpuMs = (await child.cpuMs()) - beforeMs
  await child.ask('clear')
  const events = latencies.length * batchEvents
  return { perSecond: events / (ms / 1_000), cpuUs: (cpuMs * 1_000) / events, p99Ms: quantile(latencies, 0.99) }
}
