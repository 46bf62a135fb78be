import { ContractError } from '@freshet/contracts/errors'
import type { NewRecord, TopicLayout, TopicOutcome } from '@freshet/contracts/ports/event-log'
import { partitionOf, partitionOfBytes } from '@freshet/domain/partition'

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
  return partition === null ? partitionOf(key, partitions) : checkedPartition(partition, topic, partitions)
}

/** A record's key as UTF-8. Throws LOG_RECORD_TOO_LARGE where key and value together are over the limit. */
export function checkedKey(record: NewRecord, topic: string, maxRecordBytes: number): Uint8Array {
  const key = encoder.encode(record.key)
  const bytes = key.length + (record.value?.length ?? 0)
  if (bytes <= maxRecordBytes) return key
  throw tooLarge(bytes, record.key, topic, maxRecordBytes)
}

/** A record's own copy of its bytes, the key as UTF-8. */
export interface PackedRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  /** As in `NewRecord`. */
  readonly partition: number | null
}

/** Copies of many records in one piece of memory: an allocation for each would cost more than the copying. */
export function packed(records: readonly NewRecord[]): readonly PackedRecord[] {
  let most = 0
  for (const { key, value } of records) most += 3 * key.length + (value?.length ?? 0)
  const memory = Buffer.allocUnsafe(most)
  let at = 0
  return records.map(({ key, value, partition }) => {
    const keyAt = at
    at = writeKey(memory, key, at)
    const valueAt = at
    if (value !== null) {
      memory.set(value, at)
      at += value.length
    }
    return {
      key: memory.subarray(keyAt, valueAt),
      value: value === null ? null : memory.subarray(valueAt, at),
      partition,
    }
  })
}

/** Writes a key as UTF-8; answers where it ends. Keys are short and nearly always ASCII, where a loop is faster than a call. */
export function writeKey(memory: Buffer, key: string, from: number): number {
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return from + memory.write(key, from)
    memory[from + i] = code
  }
  return from + key.length
}

/** Where a packed record goes. Throws as `targetOf` and `checkedKey` do. */
export function packedTarget(
  { key, value, partition }: PackedRecord,
  topic: string,
  { partitions, maxRecordBytes }: { readonly partitions: number; readonly maxRecordBytes: number },
): number {
  const bytes = key.length + (value?.length ?? 0)
  if (bytes > maxRecordBytes) throw tooLarge(bytes, Buffer.from(key).toString(), topic, maxRecordBytes)
  return partition === null ? partitionOfBytes(key, partitions) : checkedPartition(partition, topic, partitions)
}

function checkedPartition(partition: number, topic: string, partitions: number): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition
  throw new RangeError(`${topic} has partitions 0 to ${partitions - 1}, not ${partition}`)
}

function tooLarge(bytes: number, key: string, topic: string, maxRecordBytes: number): ContractError {
  return new ContractError(
    'LOG_RECORD_TOO_LARGE',
    `a record of ${bytes} bytes (key ${key.slice(0, 100)}) is over the limit of ${topic}, ${maxRecordBytes} bytes`,
  )
}
