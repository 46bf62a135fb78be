import type { EventLog } from '@freshet/contracts/ports/event-log'
import { logClosed } from '../shared/log/errors.ts'
import { packed, packedTarget } from '../shared/log/layouts.ts'
import { createCluster } from './cluster.ts'
import { withDefaults } from './options.ts'
import type { KafkaEventLogOptions } from './options.ts'
import { createProducer } from './producer/producer.ts'
import { createReaders } from './readers.ts'
import { createRetrying } from './retrying.ts'
import { createTopics } from './topic-facts.ts'
import { applyTopics, maxBatchBytesFor } from './topics.ts'

/** An event log on Kafka. */
export interface KafkaEventLog extends EventLog {
  /** Bytes of records that wait to be acknowledged. */
  pendingBytes(): number
}

const applyTimeoutMs = 60_000

/**
 * An ordered, partitioned log on Kafka 2.3 or later. Connects when first asked for something and heals by itself: an
 * unreachable cluster shows as LOG_UNAVAILABLE from appends and metadata calls, and as errors reported to readers. Throws
 * LOG_CLIENT_UNSUPPORTED where the client library that is installed cannot be used.
 */
export function createKafkaEventLog(options: KafkaEventLogOptions): KafkaEventLog {
  const settings = withDefaults(options)
  const newCluster = () => createCluster(settings)
  const cluster = newCluster()
  const closing = new AbortController()
  const persistently = createRetrying(settings, closing.signal)
  const producer = createProducer(cluster, settings)
  const topics = createTopics(cluster, persistently)
  const readers = createReaders(settings, topics, newCluster)
  let closed: Promise<void> | null = null

  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing.signal.aborted) throw logClosed()
    return work()
  }

  return {
    applyTopics: (layouts) =>
      whileOpen(async () => {
        for (const { name } of layouts) topics.forget(name)
        await persistently('applying topics', () => cluster.refresh())
        return persistently('applying topics', () => applyTopics(cluster, settings, layouts), applyTimeoutMs)
      }),

    partitionCount: (topic) => whileOpen(async () => (await topics.facts(topic)).partitions),
    identity: (topic) => whileOpen(() => topics.identity(topic)),
    starts: (topic) => whileOpen(() => topics.starts(topic)),
    ends: (topic) => whileOpen(() => topics.ends(topic)),

    append: (topic, records, { signal, headers } = {}) =>
      whileOpen(async () => {
        signal?.throwIfAborted()
        // Copied before the first pause: the caller may use its memory again.
        const own = packed(records, headers)
        const known = await topics.facts(topic)
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

    readAll: (view) => whileOpen(() => readers.readAll(view)),
    readGroup: (member) => whileOpen(() => readers.readGroup(member)),
    pendingBytes: () => producer.pendingBytes(),

    close() {
      closed ??= (async () => {
        closing.abort(logClosed())
        await readers.stop()
        await producer.close()
        await cluster.close()
      })()
      return closed
    },
  }
}
