import type { TopicPartition } from '@freshet/contracts/ports/event-log'

/** Names a partition of a topic in maps. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
