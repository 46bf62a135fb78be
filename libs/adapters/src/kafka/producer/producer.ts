import type { Position } from '@freshet/contracts/ports/event-log'
import { logClosed } from '../../shared/log/errors.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { KafkaSettings } from '../options.ts'
import { createAppends } from './appends.ts'
import type { Appends } from './appends.ts'
import { createQueues } from './queue.ts'
import type { PartitionQueue, RoutedRecord } from './queue.ts'
import { createRounds } from './rounds.ts'
import { createSender } from './sender.ts'

/** Writes each record to the log exactly once, in the given order per partition. */
export interface KafkaProducer {
  /** As `EventLog.append`. `maxBatchBytes`: the largest batch that the topic accepts. */
  append(
    topic: string,
    records: readonly RoutedRecord[],
    maxBatchBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Position[]>
  /** Bytes without an acknowledgement yet. */
  pendingBytes(): number
  /** Waits for pending appends, at most for the append timeout. */
  close(): Promise<void>
}

/**
 * One idempotent producer. Each partition has at most one batch in flight and sends it, unchanged, until the broker has
 * answered, however long that takes; records that arrive in the meantime go into the next batch. Only this loses nothing
 * and duplicates nothing. A batch whose outcome the broker no longer knows fails, and the partition continues with a new producer id.
 */
export function createProducer(cluster: KafkaCluster, settings: KafkaSettings): KafkaProducer {
  const stopping = new AbortController()
  const pause = (ms: number) => settings.clock.sleep(ms, stopping.signal).catch(() => undefined)
  const queues = createQueues()
  const sender = createSender(cluster, settings, { queues, appends: (): Appends => appends })
  const appends = createAppends(settings, sender.lastProblem, pause)
  const rounds = createRounds(cluster, settings, { queues, sender, pause, signal: stopping.signal })
  let closed = false

  return {
    append(topic, records, maxBatchBytes, signal) {
      if (closed) return Promise.reject(logClosed())
      const known: PartitionQueue[] = []
      const queueOf = (partition: number) => (known[partition] ??= queues.at(topic, partition, maxBatchBytes))
      const appended = appends.add({ records, queueOf, signal })
      rounds.start()
      return appended
    },

    pendingBytes: () => appends.pendingBytes(),

    async close() {
      closed = true
      await appends.ended()
      stopping.abort(logClosed())
    },
  }
}
