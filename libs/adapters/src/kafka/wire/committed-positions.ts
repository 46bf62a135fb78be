import type { ProtocolCall } from './broker.ts'
import { createAnswer, createWriter } from './bytes.ts'
import { brokerError } from './failures.ts'

/** OffsetFetch version 1 (Kafka 0.8.2 and later): the positions that a group has written, by partition. Partitions without one are absent. */
export function committedCall(
  group: string,
  topic: string,
  partitions: number,
): ProtocolCall<ReadonlyMap<number, number>> {
  return {
    apiKey: 9,
    apiVersion: 1,
    apiName: 'OffsetFetch',
    encode() {
      const out = createWriter(32 + 3 * (group.length + topic.length) + 4 * partitions)
      out.text(group)
      out.int32(1)
      out.text(topic)
      out.int32(partitions)
      for (let partition = 0; partition < partitions; partition++) out.int32(partition)
      return out.done()
    },
    decode(payload) {
      const input = createAnswer(payload)
      const found = new Map<number, number>()
      input.list(() => {
        input.text()
        input.list(() => {
          const partition = input.int32()
          const position = input.int64()
          input.skip(Math.max(0, input.int16()))
          const errorCode = input.int16()
          if (errorCode !== 0) throw brokerError(errorCode)
          if (position >= 0) found.set(partition, position)
        })
      })
      return found
    },
  }
}
