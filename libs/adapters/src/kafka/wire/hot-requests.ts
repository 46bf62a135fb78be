import type { ProtocolCall } from './broker.ts'
import { createAnswer, createWriter } from './bytes.ts'

/** A batch to write to a partition. */
export interface ProducePartition {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
}

/** The outcome of a partition's batch; `errorCode` 0: it was written from `baseOffset` on. */
export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
}

/** A range of a partition to read. */
export interface FetchPartition {
  readonly topic: string
  readonly partition: number
  readonly position: number
}

/** The result of reading a partition. */
export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  /** One past the last position that readers can see. */
  readonly end: number
  /** The first position that the log still holds. */
  readonly start: number
  /** Transactions that were aborted, for `decodeBatches`. */
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches; a copy. */
  readonly batches: Buffer
}

/** A transaction whose records nobody may read. */
export interface AbortedTransaction {
  readonly producerId: number
  /** Position of its first record. */
  readonly first: number
}

/** The number of `Fetch` in Kafka's protocol. */
export const fetchKey = 1

/** The broker reports aborted transactions, and ends before the first open one. */
const readCommitted = 1

interface Bounds {
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly maxBytesPerPartition: number
}

/** Produce version 7 (Kafka 2.1 and later), acknowledged by all in-sync replicas. */
export function produceCall(
  parts: readonly ProducePartition[],
  timeoutMs: number,
): ProtocolCall<readonly ProducedPartition[]> {
  return {
    apiKey: 0,
    apiVersion: 7,
    apiName: 'Produce',
    encode() {
      const byTopic = groupByTopic(parts)
      let size = 64
      for (const { topic, batch } of parts) size += 16 + 3 * topic.length + batch.length
      const out = createWriter(size)
      out.int16(-1)
      out.int16(-1)
      out.int32(timeoutMs)
      out.int32(byTopic.size)
      for (const [topic, ofTopic] of byTopic) {
        out.text(topic)
        out.int32(ofTopic.length)
        for (const { partition, batch } of ofTopic) {
          out.int32(partition)
          out.int32(batch.length)
          out.bytes(batch)
        }
      }
      return out.done()
    },
    decode(payload) {
      const input = createAnswer(payload)
      return input
        .list(() => {
          const topic = input.text()
          return input.list((): ProducedPartition => {
            const part = { topic, partition: input.int32(), errorCode: input.int16(), baseOffset: input.int64() }
            input.skip(16)
            return part
          })
        })
        .flat()
    },
  }
}

/** Fetch version 11 (Kafka 2.3 and later), of everything before the first transaction that is still open. Our own topics have none. */
export function fetchCall(parts: readonly FetchPartition[], bounds: Bounds): ProtocolCall<readonly FetchedPartition[]> {
  return {
    apiKey: fetchKey,
    apiVersion: 11,
    apiName: 'Fetch',
    encode() {
      const byTopic = groupByTopic(parts)
      let size = 64
      for (const { topic } of parts) size += 32 + 3 * topic.length
      const out = createWriter(size)
      out.int32(-1)
      out.int32(bounds.maxWaitMs)
      out.int32(1)
      out.int32(bounds.maxBytes)
      out.int8(readCommitted)
      out.int32(0)
      out.int32(-1)
      out.int32(byTopic.size)
      for (const [topic, ofTopic] of byTopic) {
        out.text(topic)
        out.int32(ofTopic.length)
        for (const { partition, position } of ofTopic) {
          out.int32(partition)
          out.int32(-1)
          out.int64(position)
          out.int64(-1)
          out.int32(bounds.maxBytesPerPartition)
        }
      }
      out.int32(0)
      out.text('')
      return out.done()
    },
    decode(payload) {
      const input = createAnswer(payload)
      input.skip(4)
      const errorCode = input.int16()
      input.skip(4)
      const parts = input
        .list(() => {
          const topic = input.text()
          return input.list((): FetchedPartition => {
            const partition = input.int32()
            const partErrorCode = input.int16()
            input.skip(8)
            const end = input.int64()
            const start = input.int64()
            const aborted = input.list(() => ({ producerId: input.int64(), first: input.int64() }))
            input.skip(4)
            return { topic, partition, errorCode: partErrorCode, end, start, aborted, batches: input.bytes() }
          })
        })
        .flat()
      return errorCode === 0 ? parts : parts.map((part) => ({ ...part, errorCode }))
    },
  }
}

function groupByTopic<T extends { readonly topic: string }>(parts: readonly T[]): Map<string, T[]> {
  const byTopic = new Map<string, T[]>()
  for (const part of parts) {
    const ofTopic = byTopic.get(part.topic)
    if (ofTopic === undefined) byTopic.set(part.topic, [part])
    else ofTopic.push(part)
  }
  return byTopic
}
