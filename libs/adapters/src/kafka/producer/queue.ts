import type { Position } from '@freshet/contracts/ports/event-log'
import type { HeaderBytes } from '../../shared/log/header-bytes.ts'
import type { ProducerIdentity } from '../wire/broker.ts'
import { batchOverheadBytes, encodeBatch, recordOverheadBytes } from '../wire/record-batch.ts'

/** A record whose partition is known. */
export interface RoutedRecord {
  readonly partition: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  readonly headers: HeaderBytes
}

/** A call of `append` and the results of its records so far. */
export interface Append {
  readonly positions: Position[]
  readonly items: readonly Item[]
  readonly deadlineMs: number
  /** Records without a position yet. */
  missing: number
  settled: boolean
  resolve(positions: readonly Position[]): void
  reject(error: unknown): void
}

/** One record of an append. */
export interface Item {
  readonly record: RoutedRecord
  /** Its index in the append. */
  readonly index: number
  readonly bytes: number
  readonly partition: PartitionQueue
  /** null: its append has ended. */
  owner: Append | null
  state: 'queued' | 'sent' | 'gone'
}

/** Records sent together. They keep their bytes until the broker has reported their outcome, so that it recognises a repeat. */
export interface Batch {
  readonly items: readonly Item[]
  readonly bytes: Buffer
  notBeforeMs: number
  pauseMs: number
}

/** The records that wait for one partition, and its batch in flight. */
export interface PartitionQueue {
  readonly topic: string
  readonly partition: number
  maxBatchBytes: number
  queue: Item[]
  /** Number of queued records whose append has ended. */
  goneInQueue: number
  inFlight: Batch | null
  producerId: bigint
  /** Number of records written with this producer id. */
  sequence: number
}

/** First pause before a batch is sent again, milliseconds. */
export const firstPauseMs = 50
/** Longest pause before a batch is sent again, milliseconds. */
export const longestPauseMs = 500
/** Sequence numbers wrap at this number. */
const sequences = 2 ** 31

/** The queues of all partitions that the producer has written to. */
export function createQueues() {
  const queues = new Map<string, PartitionQueue>()
  return {
    /** The queue of a partition. `maxBatchBytes`: the largest batch that the topic accepts. */
    at(topic: string, partition: number, maxBatchBytes: number): PartitionQueue {
      const key = `${topic}/${partition}`
      let found = queues.get(key)
      if (found === undefined) {
        found = emptyQueue(topic, partition, maxBatchBytes)
        queues.set(key, found)
      }
      found.maxBatchBytes = maxBatchBytes
      return found
    },
    all: (): Iterable<PartitionQueue> => queues.values(),
    /** The queues with something to send. */
    waiting: (): readonly PartitionQueue[] =>
      [...queues.values()].filter(({ inFlight, queue }) => inFlight !== null || queue.length > 0),
  }
}

/** Creates an empty set of queues. */
export type Queues = ReturnType<typeof createQueues>

function emptyQueue(topic: string, partition: number, maxBatchBytes: number): PartitionQueue {
  return { topic, partition, maxBatchBytes, queue: [], goneInQueue: 0, inFlight: null, producerId: -1n, sequence: 0 }
}

/** Counts an ended record in the queue; removes ended records once they are the majority. */
export function forgetQueued(partition: PartitionQueue): void {
  if (++partition.goneInQueue * 2 <= partition.queue.length) return
  partition.queue = partition.queue.filter(({ state }) => state === 'queued')
  partition.goneInQueue = 0
}

/** The partition's batch in flight; made from its queue if there is none; null: nothing waits. */
export function nextBatch(
  partition: PartitionQueue,
  identity: ProducerIdentity,
  limits: { readonly maxSendRecords: number; readonly nowMs: number },
): Batch | null {
  if (partition.inFlight !== null || partition.queue.length === 0) return partition.inFlight
  const items = takeFrom(partition, limits.maxSendRecords)
  if (items.length === 0) return null
  if (partition.producerId !== identity.producerId) {
    partition.producerId = identity.producerId
    partition.sequence = 0
  }
  for (const item of items) item.state = 'sent'
  const records = items.map(({ record }) => record)
  const bytes = encodeBatch(records, { ...identity, sequence: partition.sequence }, limits.nowMs)
  partition.inFlight = { items, bytes, notBeforeMs: 0, pauseMs: firstPauseMs }
  return partition.inFlight
}

/** Takes the records of one batch from the front of a queue. */
function takeFrom(partition: PartitionQueue, maxRecords: number): readonly Item[] {
  const items: Item[] = []
  let bytes = batchOverheadBytes
  let taken = 0
  for (const item of partition.queue) {
    if (item.state === 'queued') {
      const size = item.bytes + recordOverheadBytes
      if (items.length > 0 && (bytes + size > partition.maxBatchBytes || items.length >= maxRecords)) break
      items.push(item)
      bytes += size
    } else partition.goneInQueue--
    taken++
  }
  partition.queue = partition.queue.slice(taken)
  return items
}

/** Ends the batch in flight as written. */
export function advance(partition: PartitionQueue, written: number): void {
  partition.inFlight = null
  partition.sequence = (partition.sequence + written) % sequences
}

/** Ends the batch in flight with an unknown outcome, so the next one uses another producer id. */
export function abandon(partition: PartitionQueue): void {
  partition.inFlight = null
  partition.producerId = -1n
}

/** Delays the next attempt of the batch in flight, each time a little longer. */
export function postpone({ inFlight }: PartitionQueue, nowMs: number): void {
  if (inFlight === null) return
  inFlight.notBeforeMs = nowMs + inFlight.pauseMs
  inFlight.pauseMs = Math.min(inFlight.pauseMs * 1.5, longestPauseMs)
}
