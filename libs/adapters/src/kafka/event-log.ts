import type {
  EventLog,
  GroupReaderOptions,
  LogReader,
  TopicPartition,
  ViewReaderOptions,
} from '@freshet/contracts/ports/event-log'
import { packed, packedTarget } from '../shared/log/layouts.ts'
import { logClosed } from '../shared/log/errors.ts'
import { keyOf } from '../shared/log/partition-key.ts'
import { startPump } from '../shared/log/partition-pump.ts'
import type { PartitionPump } from '../shared/log/partition-pump.ts'
import { createCluster } from './cluster.ts'
import { createFetcher } from './fetcher.ts'
import type { Fetcher } from './fetcher.ts'
import { joinGroup } from './membership.ts'
import type { HandledPosition } from './membership.ts'
import { withDefaults } from './options.ts'
import type { KafkaEventLogOptions } from './options.ts'
import { createProducer } from './producer/producer.ts'
import { createRetrying } from './retrying.ts'
import { knowsTopicIds, topicIdCall } from './wire/topic-ids.ts'
import { applyTopics, maxBatchBytesFor, maxRecordBytesIn, readConfigs } from './topics.ts'

/** An event log on Kafka. */
export interface KafkaEventLog extends EventLog {
  /** Bytes of records that wait to be acknowledged. */
  pendingBytes(): number
}

interface TopicFacts {
  readonly partitions: number
  readonly maxRecordBytes: number
}

const applyTimeoutMs = 60_000

/**
 * An ordered, partitioned log on Kafka 2.3 or later. Connects when first asked for something and heals by itself: an
 * unreachable cluster shows as LOG_UNAVAILABLE from appends and metadata calls, and as errors told to readers.
 */
export function createKafkaEventLog(options: KafkaEventLogOptions): KafkaEventLog {
  const settings = withDefaults(options)
  const { clock } = settings
  const newCluster = () => createCluster(settings)
  const cluster = newCluster()
  const producer = createProducer(cluster, settings)
  const facts = new Map<string, Promise<TopicFacts>>()
  const readers = new Set<LogReader>()
  const closing = new AbortController()
  const persistently = createRetrying(settings, closing.signal)
  let closed: Promise<void> | null = null

  function factsOf(topic: string): Promise<TopicFacts> {
    let known = facts.get(topic)
    if (known === undefined) {
      known = persistently(`asking about ${topic}`, async () => {
        const { length: partitions } = await cluster.leaders(topic)
        const config = (await readConfigs(cluster, [topic])).get(topic)
        return { partitions, maxRecordBytes: maxRecordBytesIn(config ?? new Map<string, string>()) }
      })
      facts.set(topic, known)
      known.catch(() => facts.delete(topic))
    }
    return known
  }

  async function offsets(topic: string, timestamp: number): Promise<readonly number[]> {
    return persistently(`asking for positions of ${topic}`, async () => {
      const leaders = await cluster.leaders(topic)
      const found: number[] = new Array<number>(leaders.length).fill(0)
      const nodes = new Set(leaders)
      try {
        await Promise.all(
          [...nodes].map(async (nodeId) => {
            const partitions = leaders.flatMap((leader, partition) => (leader === nodeId ? [partition] : []))
            const answers = await cluster.on(nodeId, (broker) => broker.positionsAt(topic, partitions, timestamp))
            for (const { partition, position } of answers) found[partition] = position
          }),
        )
      } catch (error) {
        await cluster.refresh([topic])
        throw error
      }
      return found
    })
  }

  const starts = (topic: string) => offsets(topic, -2)
  const ends = (topic: string) => offsets(topic, -1)

  /** Every broker of a cluster that is being upgraded may answer: an old one cannot say. */
  const identity = (topic: string): Promise<string | null> =>
    persistently(`asking which ${topic} this is`, async () => {
      await cluster.leaders(topic)
      return cluster.onAny((broker) =>
        knowsTopicIds(broker) ? broker.send(topicIdCall(topic)) : Promise.resolve(null),
      )
    })

  async function lagOf(pumps: ReadonlyMap<string, PartitionPump>): Promise<number> {
    const reading = [...pumps.values()]
    const topics = [...new Set(reading.map(({ at }) => at.topic))]
    const bounds = new Map(
      await Promise.all(topics.map(async (topic) => [topic, await Promise.all([starts(topic), ends(topic)])] as const)),
    )
    let lag = 0
    for (const { at, handled } of reading) {
      const [first = [], last = []] = bounds.get(at.topic) ?? []
      lag += Math.max(0, (last[at.partition] ?? 0) - Math.max(handled() ?? 0, first[at.partition] ?? 0))
    }
    return lag
  }

  /** Pumps of one reader, over a fetcher of its own. */
  function createPumps(fetcher: Fetcher, reader: GroupReaderOptions | ViewReaderOptions) {
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
          clock,
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
    }
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

  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing.signal.aborted) throw logClosed()
    return work()
  }

  return {
    applyTopics: (layouts) =>
      whileOpen(async () => {
        for (const { name } of layouts) facts.delete(name)
        await persistently('applying topics', () => cluster.refresh())
        return persistently('applying topics', () => applyTopics(cluster, settings, layouts), applyTimeoutMs)
      }),

    partitionCount: (topic) => whileOpen(async () => (await factsOf(topic)).partitions),
    identity: (topic) => whileOpen(() => identity(topic)),
    starts: (topic) => whileOpen(() => starts(topic)),
    ends: (topic) => whileOpen(() => ends(topic)),

    append: (topic, records, { signal, headers } = {}) =>
      whileOpen(async () => {
        signal?.throwIfAborted()
        // Copied before the first pause: the caller may use its memory again.
        const own = packed(records, headers)
        const known = await factsOf(topic)
        signal?.throwIfAborted()
        const routed = own.map((record) => ({
          key: record.key,
          value: record.value,
          headers: record.headers,
          partition: packedTarget(record, topic, known),
        }))
        if (routed.length === 0) return []
        return producer.append(topic, routed, maxBatchBytesFor(known.maxRecordBytes), signal)
      }),

    readAll: (view) =>
      whileOpen(async () => {
        const counts = await Promise.all(view.topics.map(async (topic) => (await factsOf(topic)).partitions))
        const fetcher = createFetcher(newCluster(), settings, view.onError)
        const { pumps, start, stopAll } = createPumps(fetcher, view)
        view.topics.forEach((topic, i) => {
          for (let partition = 0; partition < (counts[i] ?? 0); partition++) start({ topic, partition })
        })
        return registered(pumps, async () => {
          await stopAll()
          await fetcher.close()
        })
      }),

    readGroup: (member) =>
      whileOpen(async () => {
        await Promise.all(member.topics.map(factsOf))
        const fetcher = createFetcher(newCluster(), settings, member.onError)
        const groupCluster = newCluster()
        const { pumps, start, stopAll } = createPumps(fetcher, member)
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
          await fetcher.close()
          await groupCluster.close()
        })
      }),

    pendingBytes: () => producer.pendingBytes(),

    close() {
      closed ??= (async () => {
        closing.abort(logClosed())
        await Promise.all([...readers].map((reader) => reader.stop()))
        await producer.close()
        await cluster.close()
      })()
      return closed
    },
  }
}

function positionsOf(pumps: readonly PartitionPump[]): readonly HandledPosition[] {
  return pumps.flatMap(({ at, handled }) => {
    const position = handled()
    return position === null ? [] : [{ ...at, position }]
  })
}
