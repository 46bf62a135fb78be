import type { ProtocolCall } from './kafkajs-internals.ts'

/** A batch to be written to a partition. */
export interface ProducePartition {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
}

/** How a partition's batch fared; `errorCode` 0: it stands from `baseOffset` on. */
export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
}

/** A stretch to be read of a partition. */
export interface FetchPartition {
  readonly topic: string
  readonly partition: number
  readonly position: number
}

/** What was read of a partition. */
export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  /** One past the last position that readers may see. */
  readonly end: number
  /** The first position still held. */
  readonly start: number
  /** Record batches; a copy. */
  readonly batches: Buffer
}

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
  return call(
    0,
    7,
    'Produce',
    () => {
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
    (payload) => {
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
  )
}

/** Fetch version 11 (Kafka 2.3 and later), of everything below the high watermark. */
export function fetchCall(parts: readonly FetchPartition[], bounds: Bounds): ProtocolCall<readonly FetchedPartition[]> {
  return call(
    1,
    11,
    'Fetch',
    () => {
      const byTopic = groupByTopic(parts)
      let size = 64
      for (const { topic } of parts) size += 32 + 3 * topic.length
      const out = createWriter(size)
      out.int32(-1)
      out.int32(bounds.maxWaitMs)
      out.int32(1)
      out.int32(bounds.maxBytes)
      out.int8(0)
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
    (payload) => {
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
            const end = input.int64()
            input.skip(8)
            const start = input.int64()
            input.list(() => input.skip(16))
            input.skip(4)
            return { topic, partition, errorCode: partErrorCode, end, start, batches: input.bytes() }
          })
        })
        .flat()
      return errorCode === 0 ? parts : parts.map((part) => ({ ...part, errorCode }))
    },
  )
}

function call<T>(
  apiKey: number,
  apiVersion: number,
  apiName: string,
  encode: () => Buffer,
  decode: (payload: Buffer) => T,
): ProtocolCall<T> {
  return {
    request: {
      apiKey,
      apiVersion,
      apiName,
      encode: () => {
        const buf = encode()
        return Promise.resolve({ buf, buffer: buf })
      },
    },
    response: {
      // An object, because kafkajs looks for a throttle time in what was decoded.
      decode: (payload) => Promise.resolve({ answer: decode(payload) }),
      parse: (decoded) => Promise.resolve((decoded as { answer: T }).answer),
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

function createWriter(size: number) {
  const buffer = Buffer.allocUnsafe(size)
  let at = 0
  return {
    int8: (value: number) => (at = buffer.writeInt8(value, at)),
    int16: (value: number) => (at = buffer.writeInt16BE(value, at)),
    int32: (value: number) => (at = buffer.writeInt32BE(value, at)),
    int64: (value: number) => (at = buffer.writeBigInt64BE(BigInt(value), at)),
    text: (value: string) => {
      const length = buffer.write(value, at + 2)
      buffer.writeInt16BE(length, at)
      at += 2 + length
    },
    bytes: (value: Buffer) => (at += value.copy(buffer, at)),
    done: () => buffer.subarray(0, at),
  }
}

function createAnswer(buffer: Buffer) {
  let at = 0
  const int32 = (): number => {
    at += 4
    return buffer.readInt32BE(at - 4)
  }
  const int16 = (): number => {
    at += 2
    return buffer.readInt16BE(at - 2)
  }
  return {
    int16,
    int32,
    int64: (): number => {
      at += 8
      return Number(buffer.readBigInt64BE(at - 8))
    },
    text: (): string => {
      const length = int16()
      at += length
      return buffer.toString('utf8', at - length, at)
    },
    bytes: (): Buffer => {
      const length = Math.max(0, int32())
      at += length
      return Buffer.from(buffer.subarray(at - length, at))
    },
    skip: (count: number): void => {
      at += count
    },
    list: <T>(item: () => T): T[] => Array.from({ length: Math.max(0, int32()) }, item),
  }
}
