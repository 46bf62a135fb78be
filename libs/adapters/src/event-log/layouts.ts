import { ContractError } from '@freshet/contracts/errors'
import type { NewRecord, TopicLayout, TopicOutcome } from '@freshet/contracts/ports/event-log'
import { partitionOf } from '@freshet/domain/partition'

/** How long a removal stays in a compacted topic, so that readers who lag behind see it: a day, as in Kafka. */
export const tombstoneRetentionMs = 86_400_000

/** What applying `wanted` over what exists comes to; null: the topic is missing. Throws LOG_TOPIC_MISMATCH for another number of partitions. */
export function outcomeOf(wanted: TopicLayout, existing: TopicLayout | null): TopicOutcome {
  const { name } = wanted
  if (existing === null) return { name, outcome: 'created' }
  if (existing.partitions !== wanted.partitions) {
    throw new ContractError(
      'LOG_TOPIC_MISMATCH',
      `the topic ${name} has ${existing.partitions} partitions, not ${wanted.partitions}; keys would change owners: ` +
        `configure ${existing.partitions} partitions, or start with an empty log`,
    )
  }
  const same =
    existing.cleanup === wanted.cleanup &&
    existing.retentionMs === wanted.retentionMs &&
    existing.maxRecordBytes === wanted.maxRecordBytes
  return { name, outcome: same ? 'unchanged' : 'altered' }
}

const encoder = new TextEncoder()

/** The partition that a record goes to. Throws a RangeError where the record names one that the topic does not have. */
export function targetOf(record: NewRecord, topic: string, partitions: number): number {
  const { key, partition } = record
  if (partition === null) return partitionOf(key, partitions)
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition
  throw new RangeError(`${topic} has partitions 0 to ${partitions - 1}, not ${partition}`)
}

/** A record's key as UTF-8. Throws LOG_RECORD_TOO_LARGE where key and value together are over the limit. */
export function checkedKey(record: NewRecord, topic: string, maxRecordBytes: number): Uint8Array {
  const key = encoder.encode(record.key)
  const bytes = key.length + (record.value?.length ?? 0)
  if (bytes <= maxRecordBytes) return key
  throw new ContractError(
    'LOG_RECORD_TOO_LARGE',
    `a record of ${bytes} bytes (key ${record.key.slice(0, 100)}) is over the limit of ${topic}, ${maxRecordBytes} bytes`,
  )
}
