import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { kafkaClients, type KafkaClient } from '@freshet/adapters/kafka/options'
import { createSystemClock } from '@freshet/adapters/system/clock'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import { testPartitions } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { cpuMsNow, median, type ClusterBench } from './bench.ts'
import { comparedRow, quantile, type BenchRow } from './row.ts'

/** What one pass over the log came to by one client. */
interface Pass {
  readonly appendPerSecond: number
  /** Of this process, microseconds a record. */
  readonly appendCpuUs: number
  readonly readPerSecond: number
  readonly readCpuUs: number
  /** From an append to the handler of a reader at the end, milliseconds. */
  readonly freshP50Ms: number
  readonly freshP99Ms: number
}

const valueBytes = 200
const recordsPerAppend = 1_000
const callers = 8
const patienceMs = 120_000
const topic = 'engagements.v1'

/** Kafka by `@platformatic/kafka` against Kafka by kafkajs: both under the same producer and readers, in one process, alternating. */
export async function kafkaClientRows(bench: ClusterBench): Promise<BenchRow[]> {
  const records = bench.quick ? 40_000 : 400_000
  const singles = bench.quick ? 100 : 1_000
  const rounds = bench.quick ? 3 : 5
  const passes: Record<KafkaClient, Pass[]> = { kafkajs: [], platformatic: [] }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? kafkaClients : kafkaClients.toReversed()
    for (const client of order) {
      bench.say(`Kafka by ${client}: ${records} records, round ${round + 1}`)
      passes[client].push(await passBy(client, bench, { records, singles }))
    }
  }
  const of = (client: KafkaClient, what: keyof Pass): number => median(passes[client].map((pass) => pass[what]))
  const note = `${records} records of ${valueBytes} bytes, ${callers} callers of ${recordsPerAppend} at a time, ${testPartitions} partitions, acks of all; ${singles} single appends; medians of ${rounds} rounds, alternating`
  const row = (what: keyof Pass, name: string, unit: string): BenchRow =>
    comparedRow({
      name: `Kafka by platformatic, ${name}`,
      value: of('platformatic', what),
      unit,
      reference: 'Kafka by kafkajs',
      referenceValue: of('kafkajs', what),
      aim: '',
      note,
    })
  return [
    row('appendPerSecond', 'append', 'records/s'),
    row('appendCpuUs', 'append, CPU', 'µs/record'),
    row('readPerSecond', 'read', 'records/s'),
    row('readCpuUs', 'read, CPU', 'µs/record'),
    row('freshP50Ms', 'append to handler, p50', 'ms'),
    row('freshP99Ms', 'append to handler, p99', 'ms'),
  ]
}

async function passBy(
  client: KafkaClient,
  { cluster }: ClusterBench,
  sizes: { readonly records: number; readonly singles: number },
): Promise<Pass> {
  const world = await cluster.fresh()
  const clock = createSystemClock()
  const log = createKafkaEventLog({ brokers: world.brokers, client, clientId: 'bench', clock, replicationFactor: 1 })
  try {
    // Connections are made and the code is warm before anything is measured.
    await appendMany(log, recordsPerAppend * callers)
    const append = await measured(sizes.records, () => appendMany(log, sizes.records))
    const read = await measured(sizes.records, () => readAll(log))
    const fresh = await freshness(log, sizes.singles)
    return {
      appendPerSecond: append.perSecond,
      appendCpuUs: append.cpuUs,
      readPerSecond: read.perSecond,
      readCpuUs: read.cpuUs,
      freshP50Ms: quantile(fresh, 0.5),
      freshP99Ms: quantile(fresh, 0.99),
    }
  } finally {
    await Promise.all([log.close(), world.close()])
  }
}

async function measured(records: number, work: () => Promise<void>): Promise<{ perSecond: number; cpuUs: number }> {
  const startMs = performance.now()
  const startCpuMs = cpuMsNow()
  await work()
  return {
    perSecond: records / ((performance.now() - startMs) / 1000),
    cpuUs: ((cpuMsNow() - startCpuMs) * 1000) / records,
  }
}

async function appendMany(log: EventLog, records: number): Promise<void> {
  const batch = Array.from({ length: recordsPerAppend }, (_, i): NewRecord => {
    return { key: `user-${i}`, value: new Uint8Array(valueBytes).fill(i), partition: null }
  })
  let left = records / recordsPerAppend
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left-- > 0) await log.append(topic, batch)
    }),
  )
}

/** Reads everything up to the ends as they are now. */
async function readAll(log: EventLog): Promise<void> {
  const wanted = (await log.ends(topic)).reduce((sum, end) => sum + end, 0)
  let read = 0
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: 2_000,
    startAt: () => null,
    onError: () => undefined,
    onBatch({ records }) {
      read += records.length
      return Promise.resolve()
    },
  })
  await eventually('everything to be read', () => (read >= wanted ? true : null), patienceMs, 2)
  await reader.stop()
}

/** How long single records take from an append to the handler of a reader that waits at the end, milliseconds. */
async function freshness(log: EventLog, singles: number): Promise<readonly number[]> {
  const ends = await log.ends(topic)
  const handled = new Map<string, (atMs: number) => void>()
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: 2_000,
    startAt: ({ partition }) => ends[partition] ?? 0,
    onError: () => undefined,
    onBatch({ records }) {
      for (const { key } of records) handled.get(key)?.(performance.now())
      return Promise.resolve()
    },
  })
  const took: number[] = []
  for (let i = 0; i < singles; i++) {
    const key = `single-${i}`
    const seen = new Promise<number>((resolve) => handled.set(key, resolve))
    const startMs = performance.now()
    await log.append(topic, [{ key, value: new Uint8Array(valueBytes), partition: null }])
    took.push((await seen) - startMs)
    handled.delete(key)
  }
  await reader.stop()
  return took
}
