import type {
  GroupReaderOptions,
  LogReader,
  TopicPartition,
  ViewReaderOptions,
} from '@freshet/contracts/ports/event-log'
import { keyOf } from '../shared/log/partition-key.ts'
import { startPump } from '../shared/log/partition-pump.ts'
import type { PartitionPump } from '../shared/log/partition-pump.ts'
import type { KafkaCluster } from './cluster.ts'
import { createFetcher } from './fetcher/fetcher.ts'
import { joinGroup } from './membership.ts'
import type { HandledPosition } from './membership.ts'
import type { KafkaSettings } from './options.ts'
import type { Topics } from './topic-facts.ts'

/** The readers of a log on Kafka. Each has its own connections, because a broker answers one connection in order. */
export interface KafkaReaders {
  /** As in `EventLog`. */
  readGroup(options: GroupReaderOptions): Promise<LogReader>
  /** As in `EventLog`. */
  readAll(options: ViewReaderOptions): Promise<LogReader>
  stop(): Promise<void>
}

/** `newCluster` makes connections for one reader. */
export function createReaders(settings: KafkaSettings, topics: Topics, newCluster: () => KafkaCluster): KafkaReaders {
  const readers = new Set<LogReader>()

  async function lagOf(pumps: ReadonlyMap<string, PartitionPump>): Promise<number> {
    const reading = [...pumps.values()]
    const names = [...new Set(reading.map(({ at }) => at.topic))]
    const boundsOf = async (topic: string) =>
      [topic, await Promise.all([topics.starts(topic), topics.ends(topic)])] as const
    const bounds = new Map(await Promise.all(names.map(boundsOf)))
    let lag = 0
    for (const { at, handled } of reading) {
      const [first = [], last = []] = bounds.get(at.topic) ?? []
      lag += Math.max(0, (last[at.partition] ?? 0) - Math.max(handled() ?? 0, first[at.partition] ?? 0))
    }
    return lag
  }

  function registered(pumps: ReadonlyMap<string, PartitionPump>, stop: () => Promise<void>): LogReader {
    let stopped: Promise<void> | null = null
    const reader: LogReader = {
      handled: (at) => pumps.get(keyOf(at))?.handled() ?? null,
      assigned: () => [...pumps.values()].map(({ at }) => at),
      lag: () => lagOf(pumps),
      restart(topic) {
        for (const pump of pumps.values()) if (pump.at.topic === topic) pump.restart()
      },
      stop() {
        readers.delete(reader)
        return (stopped ??= stop())
      },
    }
    readers.add(reader)
    return reader
  }

  return {
    async readAll(view) {
      const counts = await Promise.all(view.topics.map(async (topic) => (await topics.facts(topic)).partitions))
      const { pumps, start, stopAll, close } = createPumps(settings, newCluster(), view)
      view.topics.forEach((topic, i) => {
        for (let partition = 0; partition < (counts[i] ?? 0); partition++) start({ topic, partition })
      })
      return registered(pumps, async () => {
        await stopAll()
        await close()
      })
    },

    async readGroup(member) {
      await Promise.all(member.topics.map((topic) => topics.facts(topic)))
      const { pumps, start, stopAll, close } = createPumps(settings, newCluster(), member)
      const groupCluster = newCluster()
      let stopped = false
      const { leave } = joinGroup(groupCluster, settings, {
        group: member.group,
        topics: member.topics,
        onError: member.onError,
        onAssigned(partitions) {
          if (stopped) return
          if (partitions.length > 0) member.onAssigned?.(partitions)
          for (const at of partitions) start(at)
        },
        async onRevoked() {
          const lost = [...pumps.values()]
          const stopping = stopAll()
          if (lost.length > 0) member.onRevoked?.(lost.map(({ at }) => at))
          await stopping
          return positionsOf(lost)
        },
        handled: () => positionsOf([...pumps.values()]),
      })
      return registered(pumps, async () => {
        stopped = true
        await leave()
        await close()
        await groupCluster.close()
      })
    },

    async stop() {
      await Promise.all([...readers].map((reader) => reader.stop()))
    },
  }
}

/** The pumps of one reader, with its own fetcher. */
function createPumps(settings: KafkaSettings, cluster: KafkaCluster, reader: GroupReaderOptions | ViewReaderOptions) {
  const fetcher = createFetcher(cluster, settings, reader.onError)
  const pumps = new Map<string, PartitionPump>()
  return {
    pumps,
    start(at: TopicPartition): void {
      fetcher.add(at)
      const pump = startPump({
        at,
        startAt: () => reader.startAt(at),
        next: (position, signal) => fetcher.next(at, position, reader.maxBatchRecords, signal),
        onBatch: reader.onBatch,
        onError: reader.onError,
        clock: settings.clock,
      })
      pumps.set(keyOf(at), pump)
    },
    async stopAll(): Promise<void> {
      const stopping = [...pumps.values()]
      pumps.clear()
      await Promise.all(
        stopping.map(async (pump) => {
          await pump.stop()
          fetcher.remove(pump.at)
        }),
      )
    },
    close: () => fetcher.close(),
  }
}

function positionsOf(pumps: readonly PartitionPump[]): readonly HandledPosition[] {
  return pumps.flatMap(({ at, handled }) => {
    const position = handled()
    return position === null ? [] : [{ ...at, position }]
  })
}
