import { ContractError } from '@freshet/contracts/errors'
import type { KafkaCluster } from '../cluster.ts'
import { isTransient, unavailable } from '../errors.ts'
import type { KafkaSettings } from '../options.ts'
import type { ProducerIdentity } from '../wire/broker.ts'
import { brokerError } from '../wire/failures.ts'
import type { BrokerError } from '../wire/failures.ts'
import { produceCall } from '../wire/hot-requests.ts'
import type { ProducedPartition } from '../wire/hot-requests.ts'
import type { Appends } from './appends.ts'
import { abandon, advance, nextBatch, postpone } from './queue.ts'
import type { PartitionQueue, Queues } from './queue.ts'

const bytesPerRequest = 16 << 20

/** Sends queued records to the leaders of their partitions. */
export interface Sender {
  /** Makes sure that there is a producer id; false: not available now. */
  identify(): Promise<boolean>
  /** The queues that can be sent to a node now. */
  collect(nodeId: number, nowMs: number): readonly PartitionQueue[]
  /** Sends the batches of these partitions to a node and records each outcome. Does not reject. */
  send(nodeId: number, chosen: readonly PartitionQueue[]): Promise<void>
  /** The last failure; null: the last batch was acknowledged. */
  lastProblem(): unknown
  noteProblem(error: unknown): void
}

/** `appends` is a function because appends and sender refer to each other. */
export function createSender(
  cluster: KafkaCluster,
  settings: KafkaSettings,
  parts: { readonly queues: Queues; readonly appends: () => Appends },
): Sender {
  const { clock, maxSendRecords, requestTimeoutMs } = settings
  let identity: ProducerIdentity | null = null
  let lastProblem: unknown = null

  /** Whether the broker has reported the batch's outcome. */
  function concluded(partition: PartitionQueue, { errorCode, baseOffset }: ProducedPartition): boolean {
    const { inFlight } = partition
    if (inFlight === null) return true
    if (errorCode === 0 && baseOffset >= 0) {
      lastProblem = null
      advance(partition, inFlight.items.length)
      parts.appends().acknowledge(inFlight.items, baseOffset)
      return true
    }
    const error = brokerError(errorCode)
    lastProblem = error
    if (isTransient(error)) return false
    abandon(partition)
    // A new producer id starts its own sequence, whatever the outcome of this batch.
    identity = null
    parts.appends().fail(inFlight.items, failureOf(error, partition.topic))
    return true
  }

  function request(nodeId: number, chosen: readonly PartitionQueue[]): Promise<readonly ProducedPartition[]> {
    const batches = chosen.map(({ topic, partition, inFlight }) => ({
      topic,
      partition,
      batch: inFlight?.bytes ?? Buffer.alloc(0),
    }))
    return cluster.on(nodeId, (broker) => broker.send(produceCall(batches, requestTimeoutMs)))
  }

  return {
    lastProblem: () => lastProblem,
    noteProblem: (error) => (lastProblem = error),

    async identify() {
      if (identity !== null) return true
      try {
        identity = await cluster.onAny((broker) => broker.initProducerId())
        return true
      } catch (error) {
        lastProblem = error
        return false
      }
    },

    collect(nodeId, nowMs) {
      const chosen: PartitionQueue[] = []
      let bytes = 0
      if (identity === null) return chosen
      for (const partition of parts.queues.all()) {
        if (cluster.knownLeaders(partition.topic)?.[partition.partition] !== nodeId) continue
        const batch = nextBatch(partition, identity, { maxSendRecords, nowMs })
        if (batch === null || batch.notBeforeMs > nowMs) continue
        if (chosen.length > 0 && bytes + batch.bytes.length > bytesPerRequest) break
        bytes += batch.bytes.length
        chosen.push(partition)
      }
      return chosen
    },

    async send(nodeId, chosen) {
      try {
        const answers = await request(nodeId, chosen)
        const byPlace = new Map(answers.map((answer) => [`${answer.topic}/${answer.partition}`, answer]))
        let stale = false
        for (const partition of chosen) {
          const answer = byPlace.get(`${partition.topic}/${partition.partition}`)
          if (answer !== undefined && concluded(partition, answer)) continue
          stale = true
          postpone(partition, clock.now())
        }
        if (stale) await cluster.refresh()
      } catch (error) {
        lastProblem = error
        for (const partition of chosen) postpone(partition, clock.now())
        await cluster.refresh().catch(() => undefined)
      }
    },
  }
}

function failureOf(error: BrokerError, topic: string): ContractError {
  if (error.type === 'MESSAGE_TOO_LARGE' || error.type === 'RECORD_LIST_TOO_LARGE') {
    return new ContractError('LOG_RECORD_TOO_LARGE', `${topic}: ${error.message}`, { cause: error })
  }
  return unavailable(`Kafka refused a batch for ${topic}`, error)
}
