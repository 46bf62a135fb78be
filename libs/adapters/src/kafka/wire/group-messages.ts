import type { TopicPartition } from '@freshet/contracts/ports/event-log'
import { createAnswer, createWriter } from './bytes.ts'

/** Version of the layouts of Kafka's embedded consumer protocol. */
const version = 1

/** Encodes the topics that a joining member reads, for the group's leader. */
export function encodeSubscription(topics: readonly string[]): Buffer {
  const out = createWriter(10 + topics.reduce((sum, topic) => sum + 2 + 3 * topic.length, 0))
  out.int16(version)
  out.int32(topics.length)
  for (const topic of topics) out.text(topic)
  out.int32(0)
  return out.done()
}

/** Decodes the topics that a member reads. */
export function decodeSubscription(bytes: Buffer): readonly string[] {
  const input = createAnswer(bytes)
  input.skip(2)
  return input.list(() => input.text())
}

/** Encodes the partitions that the group's leader assigns to a member. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const ofTopic = byTopic.get(topic)
    if (ofTopic === undefined) byTopic.set(topic, [partition])
    else ofTopic.push(partition)
  }
  const names = [...byTopic.keys()].reduce((sum, topic) => sum + 6 + 3 * topic.length, 0)
  const out = createWriter(10 + names + 4 * partitions.length)
  out.int16(version)
  out.int32(byTopic.size)
  for (const [topic, ofTopic] of byTopic) {
    out.text(topic)
    out.int32(ofTopic.length)
    for (const partition of ofTopic) out.int32(partition)
  }
  out.int32(0)
  return out.done()
}

/** Decodes the partitions of a member; empty bytes mean none. */
export function decodeAssignment(bytes: Buffer): readonly TopicPartition[] {
  if (bytes.length === 0) return []
  const input = createAnswer(bytes)
  input.skip(2)
  return input
    .list(() => {
      const topic = input.text()
      return input.list(() => ({ topic, partition: input.int32() }))
    })
    .flat()
}
