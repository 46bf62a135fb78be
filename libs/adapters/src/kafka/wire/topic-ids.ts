import type { KafkaBroker, ProtocolCall } from './broker.ts'

/** The number of the `Metadata` request; versions 10 and later (Kafka 2.8) return the ids of topics. */
const metadataKey = 3
const firstWithIds = 10

/** Whether a connected broker returns the ids of topics. */
export function knowsTopicIds(broker: KafkaBroker): boolean {
  return broker.maxVersion(metadataKey) >= firstWithIds
}

/** Reads the id of a topic; a topic created again under the same name has another id. null: there is no such topic. */
export function topicIdCall(topic: string): ProtocolCall<string | null> {
  return {
    apiKey: metadataKey,
    apiVersion: firstWithIds,
    apiName: 'Metadata',
    encode() {
      const name = Buffer.from(topic)
      return Buffer.concat([
        // No tagged fields end the request's header of flexible versions.
        Buffer.from([0]),
        Buffer.from([2]),
        Buffer.alloc(16),
        unsigned(name.length + 1),
        name,
        // No tagged fields; do not create topics; do not return operations; no tagged fields.
        Buffer.from([0, 0, 0, 0, 0]),
      ])
    },
    decode: topicIdIn,
  }
}

/** Reads an answer up to the id of its first topic. */
function topicIdIn(payload: Buffer): string | null {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = payload.readUInt8(at++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  const skipText = (): void => {
    const length = varint() - 1
    at += Math.max(0, length)
  }
  const skipTags = (): void => {
    for (let tags = varint(); tags > 0; tags--) {
      varint()
      const length = varint()
      at += length
    }
  }
  skipTags()
  at += 4
  for (let brokers = varint() - 1; brokers > 0; brokers--) {
    at += 4
    skipText()
    at += 4
    skipText()
    skipTags()
  }
  skipText()
  at += 4
  if (varint() - 1 < 1) return null
  const errorCode = payload.readInt16BE(at)
  at += 2
  skipText()
  const id = payload.subarray(at, at + 16)
  return errorCode !== 0 || id.every((byte) => byte === 0) ? null : id.toString('base64url')
}

function unsigned(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
