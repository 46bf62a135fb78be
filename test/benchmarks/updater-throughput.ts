import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createUpdater } from '@freshet/feature-updater/updater'
import { testPartitions } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { appendAll } from './append.ts'
import { cpuMsNow, median, type Bench, type ClusterBench } from './bench.ts'
import { comparedRow, type BenchRow } from './row.ts'
import { recordsOf, syntheticWorld } from './synthetic.ts'

/** What one pass over a backlog came to. */
interface Pass {
  readonly perSecond: number
  /** Of this process, microseconds per event. */
  readonly cpuUs: number
}

/** How long a backlog may take, milliseconds. */
export const patienceMs = 600_000

/** The updater over a backlog on real Kafka and Redis against a bare kafkajs `eachBatch` loop that counts per user. */
export async function updaterClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  return rowsOf(bench, {
    where: 'Kafka and Redis',
    reference: 'bare kafkajs eachBatch loop, counts per user',
    aim: '≥ 0.4',
    open: () => bench.cluster.fresh(),
    bare: ({ brokers }, events) => kafkajsLoop(brokers, events, `bare-${events}`),
  })
}

/** The same on LMDB, against a loop that reads the same log and counts per user. */
export async function updaterLmdbRows(bench: Bench): Promise<BenchRow[]> {
  return rowsOf(bench, {
    where: 'LMDB',
    reference: 'loop over the same log, counts per user',
    aim: '',
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'))
      const environment = await openEnvironment({ folder })
      const clock = createSystemClock()
      const log = createLmdbEventLog({ environment, clock })
      await log.applyTopics(topicLayouts(testPartitions))
      return {
        log,
        store: createLmdbStateStore({ environment, clock }),
        async close() {
          await log.close()
          await environment.close()
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
    bare: ({ log }, events) => logLoop(log, events),
  })
}

interface Round {
  readonly bare: Pass
  readonly users: Pass
  readonly both: Pass
}

interface Place<World> {
  readonly where: string
  readonly reference: string
  readonly aim: '' | '≥ 0.4'
  open(): Promise<World>
  bare(world: World, events: number): Promise<Pass>
}

interface OpenWorld {
  readonly log: EventLog
  readonly store: StateStore
  close(): Promise<void>
}

/** Few events of each user, and many: so many that their values are written whole again and again. */
async function rowsOf<World extends OpenWorld>(bench: Bench, place: Place<World>): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const users of [10_000, 1_000]) {
    const records = backlog(bench.quick ? 8_000 : 100_000, users)
    const rounds: Round[] = []
    for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
      bench.say(`updater on ${place.where}: ${records.length} events of ${users} users, round ${round + 1}`)
      const filled = async <T>(measure: (world: World) => Promise<T>): Promise<T> => {
        const world = await place.open()
        try {
          await appendAll(world.log, 'engagements.v1', records)
          return await measure(world)
        } finally {
          await world.close()
        }
      }
      const first = await filled(async (world) => ({
        bare: await place.bare(world, records.length),
        users: await fold(world, records.length, ['engagements.v1']),
      }))
      rounds.push({ ...first, both: await filled((world) => fold(world, records.length)) })
    }
    rows.push(...compared(rounds, records.length, users, place))
  }
  return rows
}

function compared(
  rounds: readonly Round[],
  events: number,
  users: number,
  { where, reference, aim }: Pick<Place<OpenWorld>, 'where' | 'reference' | 'aim'>,
): BenchRow[] {
  const of = (which: keyof Round, what: keyof Pass): number => median(rounds.map((round) => round[which][what]))
  const note = `${where}; backlog of ${events} events, ${users} users, 20,000 pins, batches of at most 2,000, ${testPartitions} partitions; medians of ${rounds.length} rounds A B A B`
  const row = (which: 'users' | 'both', what: keyof Pass, unit: string, wanted: string): BenchRow =>
    comparedRow({
      name: `updater on ${where}, ${which === 'users' ? 'user state' : 'user and pin state'}, ${events / users} events a user${what === 'cpuUs' ? ', CPU' : ''}`,
      value: of(which, what),
      unit,
      reference,
      referenceValue: of('bare', what),
      aim: wanted === '' ? '' : `ratio ${wanted}`,
      note,
    })
  return [
    row('users', 'perSecond', 'events/s', aim),
    row('both', 'perSecond', 'events/s', aim),
    row('users', 'cpuUs', 'µs/event', ''),
    row('both', 'cpuUs', 'µs/event', ''),
  ]
}

/**
 * From the first batch that is handed over until the state of the topics given (null: of both stages) holds the whole
 * backlog. All of the folding lies in between: from the first commit on, the work of the batches that were already under
 * way in other partitions would be missing, and in a short run that is most of it.
 */
async function fold(
  { log, store }: OpenWorld,
  events: number,
  topics: readonly TopicName[] | null = null,
): Promise<Pass> {
  const timing: { pass: Timer | null; users: Pass | null } = { pass: null, users: null }
  let folded = 0
  const updater = createUpdater({
    log: watched(log, () => (timing.pass ??= timer())),
    store,
    clock: createSystemClock(),
    config: configOf(128 << 20),
    observer: {
      committed({ topic, outcomes }) {
        if (topic !== 'engagements.v1') return
        folded += outcomes.applied
        if (folded >= events) timing.users ??= timing.pass!(events)
      },
      moved: () => undefined,
    },
  })
  await (topics === null ? updater.start() : updater.start(topics))
  const users = await eventually('user state', () => timing.users, patienceMs, 5)
  if (topics === null) {
    await eventually('pin state', async () => ((await updater.lag()) === 0 ? true : null), patienceMs, 5)
  }
  const pass = topics === null ? timing.pass!(events) : users
  await updater.stop()
  return pass
}

/** The log, which says when the first batch of engagements is handed over. */
function watched(log: EventLog, begun: () => void): EventLog {
  return {
    ...log,
    readGroup: (options) =>
      log.readGroup({
        ...options,
        onBatch(batch, signal) {
          if (batch.topic === 'engagements.v1') begun()
          return options.onBatch(batch, signal)
        },
      }),
  }
}

type Timer = (events: number) => Pass

function timer(): Timer {
  const startMs = performance.now()
  const startCpuMs = cpuMsNow()
  return (events) => ({
    perSecond: events / ((performance.now() - startMs) / 1000),
    cpuUs: ((cpuMsNow() - startCpuMs) * 1000) / events,
  })
}

async function kafkajsLoop(brokers: readonly string[], events: number, group: string): Promise<Pass> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'bare', logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 100 })
  const counts = new Map<string, number>()
  let pass: Timer | null = null
  let read = 0
  let result: Pass | null = null
  await consumer.connect()
  await consumer.subscribe({ topics: ['engagements.v1'], fromBeginning: true })
  await consumer.run({
    partitionsConsumedConcurrently: testPartitions,
    eachBatch: async ({ batch }) => {
      pass ??= timer()
      for (const { value } of batch.messages) {
        const { userId } = decodeEngagement(value!)
        counts.set(userId, (counts.get(userId) ?? 0) + 1)
      }
      read += batch.messages.length
      if (read >= events) result ??= pass(events)
    },
  })
  try {
    return await eventually('the bare loop', () => result, patienceMs, 5)
  } finally {
    await consumer.disconnect()
  }
}

async function logLoop(log: EventLog, events: number): Promise<Pass> {
  const counts = new Map<string, number>()
  let read = 0
  let pass: Timer | null = null
  let result: Pass | null = null
  const reader = await log.readGroup({
    group: 'bare',
    topics: ['engagements.v1'],
    maxBatchRecords: 2_000,
    startAt: () => Promise.resolve(null),
    onError: (error) => {
      throw error
    },
    onBatch: async ({ records }) => {
      pass ??= timer()
      for (const { value } of records) {
        const { userId } = decodeEngagement(value!)
        counts.set(userId, (counts.get(userId) ?? 0) + 1)
      }
      read += records.length
      if (read >= events) result ??= pass(events)
    },
  })
  try {
    return await eventually('the bare loop', () => result, patienceMs, 2)
  } finally {
    await reader.stop()
  }
}

/** The updater's usual settings, without canaries. */
export function configOf(cacheBytes: number): ReturnType<typeof updaterConfigOf> {
  return updaterConfigOf({ updater: { canaryEveryMs: 0, cacheBytes } })
}

/** Engagements of one hour. */
export function backlog(engagements: number, users = 10_000, name = 'backlog'): readonly NewRecord[] {
  const size = { pins: 20_000, users, engagements, endMs: Date.now(), overMs: 3_600_000, visualWidth: 0, name }
  return recordsOf(syntheticWorld(size)).find(({ topic }) => topic === 'engagements.v1')!.records
}
