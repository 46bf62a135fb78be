import type { Position } from '@freshet/contracts/ports/event-log'
import { logClosed } from '../../shared/log/errors.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { KafkaSettings } from '../options.ts'
import { createAppends } from './appends.ts'
import type { Appends } from './appends.ts'
import { createQueues } from './queue.ts'
import type { RoutedRecord } from './queue.ts'
import { createRounds } from './rounds.ts'
import { createSender } from './sender.ts'

/** Writes records so that each stands in the log once, in the order given per partition. */
export interface KafkaProducer {
  /** As `EventLog.append`. `maxBatchBytes`: what the topic takes in one batch. */
  append(
    topic: string,
    records: readonly RoutedRecord[],
    maxBatchBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Position[]>
  /** Bytes that wait for an answer. */
  pendingBytes(): number
  /** Waits for what was appended, at most as long as an append may take. */
  close(): Promise<void>
}

/**
 * One idempotent producer. Each partition has one batch under way at most and sends it, unchanged, until the broker has
 * answered for it, however long that takes; what arrives meanwhile goes into the next. That is the only way to lose nothing
 * and double nothing. A batch whose fate the broker no longer knows fails, and the partition goes on under a new producer id.
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
      const queueOf = (partition: number) => queues.at(topic, partition, maxBatchBytes)
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
