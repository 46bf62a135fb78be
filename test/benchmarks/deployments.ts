import { testPartitions, type Cluster } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { settled } from '../harness/oracle.ts'
import { startFleet } from '../harness/processes.ts'
import { appendAll } from './append.ts'
import { createPositionWatch, type Readable } from './position-watch.ts'
import { startChild } from './servers/child.ts'
import type { Records } from './synthetic.ts'

/** The whole product, running somewhere, empty at first. */
export interface Deployment {
  /** How it runs, for notes. */
  readonly name: string
  readonly ingestUrl: string
  readonly feedAddress: string
  /** Appends to the log; resolves when everything is in state and views. */
  fill(all: readonly Records[]): Promise<void>
  caughtUp(): Promise<void>
  /** CPU time of all services so far, milliseconds. */
  cpuMs(): Promise<number>
  /** Addresses of the inspectors of its processes, by name. */
  inspectors(): Promise<ReadonlyMap<string, string>>
  /** Starts to note from when on user state can be read up to where. */
  watch(): Promise<void>
  watched(): Promise<readonly Readable[]>
  stop(): Promise<void>
}

const patienceMs = 600_000

/** All services in one process on LMDB. */
export async function deployOneProcess(): Promise<Deployment> {
  const child = startChild('one-process.ts')
  const addresses = await child.ask<{ ingestUrl: string; feedAddress: string }>('listen')
  const caughtUp = async (): Promise<void> => {
    await eventually(
      'one process caught up',
      async () => ((await child.ask<number>('behind')) === 0 ? true : null),
      patienceMs,
      50,
    )
  }
  return {
    name: 'one process on LMDB',
    ...addresses,
    async fill(all) {
      for (const { topic, records } of all) {
        for (let first = 0; first < records.length; first += 20_000) {
          await child.ask('append', { topic, records: records.slice(first, first + 20_000) } satisfies Records)
        }
      }
      await caughtUp()
    },
    caughtUp,
    cpuMs: child.cpuMs,
    inspectors: async () => new Map([['one process', await child.inspector()]]),
    watch: () => child.ask('watch'),
    watched: () => child.ask('watched'),
    stop: child.stop,
  }
}

/** Five processes on real Kafka and Redis, on empty topics. */
export async function deployFleet(cluster: Cluster): Promise<Deployment> {
  const world = await cluster.fresh()
  const { brokers, redisUrl, keyPrefix } = world
  const env = { FRESHET_REDIS_KEY_PREFIX: keyPrefix, NODE_OPTIONS: '--inspect=127.0.0.1:0' }
  const fleet = await startFleet({ brokers, redisUrl, env })
  const watch = createPositionWatch(world.store, testPartitions)
  const caughtUp = async (): Promise<void> => {
    await settled(world, patienceMs)
    await eventually(
      'views caught up',
      async () => {
        const lag = await fleet['candidate-service'].metric('freshet_view_lag_records')
        return lag === 0 ? true : null
      },
      patienceMs,
      100,
    )
  }
  return {
    name: 'five processes on Kafka and Redis',
    ingestUrl: fleet.ingestUrl,
    feedAddress: fleet.feedAddress,
    async fill(all) {
      for (const { topic, records } of all) await appendAll(world.log, topic, records)
      await caughtUp()
    },
    caughtUp,
    async cpuMs() {
      const seconds = await Promise.all(fleet.all.map((service) => service.metric('process_cpu_seconds_total')))
      return seconds.reduce((sum, each) => sum + each, 0) * 1000
    },
    inspectors: () => {
      const addressOf = (logs: string): string => /ws:\/\/\S+/.exec(logs)?.[0] ?? ''
      return Promise.resolve(new Map(fleet.all.map((service) => [service.name, addressOf(service.logs())])))
    },
    watch: () => watch.start(),
    watched: () => Promise.resolve(watch.stop()),
    async stop() {
      watch.stop()
      await fleet.stop()
      await world.close()
    },
  }
}
