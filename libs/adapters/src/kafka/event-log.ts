import type { EventLog, LogReader } from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { logClosed } from '../shared/log/errors.ts'
import { packed, packedTarget } from '../shared/log/layouts.ts'
import { untilAborted } from '../shared/until-aborted.ts'
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
  /** Bytes of records without an acknowledgement yet. */
  pendingBytes(): number
  /** One past the last position that members of a group handled, per partition of a topic, as they last wrote it to Kafka (`commitEveryMs`, and when they give partitions up); null: nothing was written. */
  committed(group: string, topic: string, call?: PortCall): Promise<readonly (number | null)[]>
  /** Writes where a group begins, per partition of a topic. Nothing if the group has members, because they write their positions. */
  begin(group: string, topic: string, positions: readonly number[], call?: PortCall): Promise<void>
}

const applyTimeoutMs = 60_000

/**
 * An ordered, partitioned log on Kafka 2.3 or later. Connects with the first request and recovers by itself: an
 * unreachable cluster shows as LOG_UNAVAILABLE from appends and metadata calls, and as errors reported to readers. Throws
 * LOG_CLIENT_UNSUPPORTED if the installed client library is unusable.
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

  const whileOpen = async <T>(work: () => Promise<T>, call?: PortCall): Promise<T> => {
    if (closing.signal.aborted) throw logClosed()
    return untilAborted(work, call)
  }
  const opening = async (open: () => Promise<LogReader>, call?: PortCall): Promise<LogReader> => {
    if (closing.signal.aborted) throw logClosed()
    return untilAborted(open, call, (reader) => reader.stop())
  }

  return {
    applyTopics: (layouts, call) =>
      whileOpen(async () => {
        for (const { name } of layouts) topics.forget(name)
        await persistently('applying topics', () => cluster.refresh())
        return persistently('applying topics', () => applyTopics(cluster, settings, layouts), applyTimeoutMs)
      }, call),

    partitionCount: (topic, call) => whileOpen(async () => (await topics.facts(topic)).partitions, call),
    identity: (topic, call) => whileOpen(() => topics.identity(topic), call),
    starts: (topic, call) => whileOpen(() => topics.starts(topic), call),
    ends: (topic, call) => whileOpen(() => topics.ends(topic), call),
    positionsAt: (topic, timeMs, call) => whileOpen(() => topics.positionsAt(topic, timeMs), call),

    append: (topic, records, { signal, headers, finalValues } = {}) =>
      whileOpen(async () => {
        // Copy before the first await: the caller may reuse its memory, unless it says that it does not.
        const own = packed(records, headers, finalValues)
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
      }, signal && { signal }),

    readAll: (view, call) => opening(() => readers.readAll(view), call),
    readGroup: (member, call) => opening(() => readers.readGroup(member), call),
    pendingBytes: () => producer.pendingBytes(),
    committed: (group, topic, call) => whileOpen(() => topics.committed(group, topic), call),
    begin: (group, topic, positions, call) => whileOpen(() => topics.begin(group, topic, positions), call),

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
