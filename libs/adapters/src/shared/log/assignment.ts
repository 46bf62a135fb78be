import type { TopicPartition } from '@freshet/contracts/ports/event-log'

/** A member of a group and the topics that it reads. */
export interface GroupMember {
  readonly id: string
  readonly topics: readonly string[]
}

/**
 * Which member reads which partition: partition p of every topic goes to member p mod n of those that read the topic, in
 * the order of their ids. So partitions of equal number, which hold the same keys, have the same owner.
 */
export function assignPartitions(
  members: readonly GroupMember[],
  partitionsOf: (topic: string) => number,
): ReadonlyMap<string, readonly TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const assigned = new Map<string, TopicPartition[]>(sorted.map(({ id }) => [id, []]))
  for (const topic of [...new Set(sorted.flatMap((member) => member.topics))].sort()) {
    const readers = sorted.filter((member) => member.topics.includes(topic))
    for (let partition = 0; partition < partitionsOf(topic); partition++) {
      const reader = readers[partition % readers.length]
      if (reader !== undefined) assigned.get(reader.id)?.push({ topic, partition })
    }
  }
  return assigned
}
