import { ContractError } from '@freshet/contracts/errors'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { NewRecord, TopicLayout, TopicOutcome } from '@freshet/contracts/ports/event-log'
import { partitionOf, partitionOfBytes } from '@freshet/domain/partition'
import { appendHeaders, type HeaderBytes } from './header-bytes.ts'

const dayMs = 86_400_000

/** How long a tombstone stays in a compacted topic, so that lagging readers see it: a day, as in Kafka, and not less than what it supersedes. */
export function tombstoneRetentionMs({ minCompactionLagMs = 0 }: TopicLayout): number {
  return Math.max(dayMs, minCompactionLagMs)
}

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
    (existing.minCompactionLagMs ?? 0) === (wanted.minCompactionLagMs ?? 0) &&
    existing.retentionMs === wanted.retentionMs &&
    existing.maxRecordBytes === wanted.maxRecordBytes
  return { name, outcome: same ? 'unchanged' : 'altered' }
}

/** The partition of a record. Throws a RangeError if the record names one that the topic does not have. */
export function targetOf(record: NewRecord, topic: string, partitions: number): number {
  const { key, partition } = record
  return partition === null ? partitionOf(key, partitions) : checkedPartition(partition, topic, partitions)
}

/** Throws LOG_RECORD_TOO_LARGE if key, value and headers together exceed the limit. */
export function checkSize(
  { key, value }: NewRecord,
  headers: HeaderBytes,
  { name, maxRecordBytes }: Pick<TopicLayout, 'name' | 'maxRecordBytes'>,
): void {
  const others = (value?.length ?? 0) + headers.length - 1
  // Nearly every record is far below the limit, whatever its key is.
  if (others + 3 * key.length <= maxRecordBytes) return
  const bytes = others + Buffer.byteLength(key)
  if (bytes > maxRecordBytes) throw tooLarge(bytes, key, name, maxRecordBytes)
}

/** A record with bytes of its own, the key as UTF-8. */
export interface PackedRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  /** As in `NewRecord`. */
  readonly partition: number | null
  readonly headers: HeaderBytes
}

/** Copies many records into one buffer; `shared`: the headers of all of them. An allocation for each record would cost more than the copying. `finalValues`: as in `AppendOptions`. */
export function packed(
  records: readonly NewRecord[],
  shared?: MessageHeaders,
  finalValues = false,
): readonly PackedRecord[] {
  const headersOf = appendHeaders(shared)
  let most = 0
  for (const { key, value } of records) most += 3 * key.length + (finalValues ? 0 : (value?.length ?? 0))
  const memory = Buffer.allocUnsafe(most)
  let at = 0
  return records.map(({ key, value, partition, headers }) => {
    const keyAt = at
    const valueAt = writeKey(memory, key, at)
    at = valueAt
    if (value !== null && !finalValues) {
      memory.set(value, at)
      at += value.length
    }
    return {
      key: memory.subarray(keyAt, valueAt),
      value: value === null || finalValues ? value : memory.subarray(valueAt, at),
      partition,
      headers: headersOf.bytesOf(headers),
    }
  })
}

/** Writes a key as UTF-8 and returns its end. Keys are short and nearly always ASCII; for those a loop is faster than a call. */
export function writeKey(memory: Buffer, key: string, from: number): number {
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return from + memory.write(key, from)
    memory[from + i] = code
  }
  return from + key.length
}

/** The partition of a packed record. Throws like `targetOf` and `checkSize`. */
export function packedTarget(
  { key, value, partition, headers }: PackedRecord,
  topic: string,
  { partitions, maxRecordBytes }: { readonly partitions: number; readonly maxRecordBytes: number },
): number {
  // Every record has one byte for the number of headers.
  const bytes = key.length + (value?.length ?? 0) + headers.length - 1
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
