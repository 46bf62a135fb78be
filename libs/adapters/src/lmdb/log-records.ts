import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { writeKey } from '../shared/log/layouts.ts'

const headerBytes = 13

/**
 * Records as they are stored, in one piece of memory of their own: u8 1 where it has a value, f64 time, u32 length of the
 * key, key, value; little endian. The time is 0 until `stampRecord` sets it.
 */
export function encodeRecords(records: readonly NewRecord[]): readonly StoredRecord[] {
  let most = 0
  for (const { key, value } of records) most += headerBytes + 3 * key.length + (value?.length ?? 0)
  const memory = Buffer.allocUnsafe(most)
  let at = 0
  return records.map(({ key, value }) => {
    const from = at
    const keyAt = from + headerBytes
    const valueAt = writeKey(memory, key, keyAt)
    memory[from] = value === null ? 0 : 1
    memory.writeDoubleLE(0, from + 1)
    memory.writeUInt32LE(valueAt - keyAt, from + 9)
    if (value !== null) memory.set(value, valueAt)
    at = valueAt + (value?.length ?? 0)
    return { bytes: memory.subarray(from, at), key: memory.subarray(keyAt, valueAt) }
  })
}

/** A record's stored bytes, and its key within them. */
export interface StoredRecord {
  readonly bytes: Buffer
  readonly key: Uint8Array
}

/** Sets when the log took a record. */
export function stampRecord({ bytes }: StoredRecord, appendedAtMs: number): void {
  bytes.writeDoubleLE(appendedAtMs, 1)
}

/** The record at a position. Its value is a view of `bytes`, so they must stay as they are. */
export function decodeRecord(position: number, bytes: Uint8Array): LogRecord {
  const stored = bufferOf(bytes)
  const valueAt = headerBytes + stored.readUInt32LE(9)
  return {
    position,
    key: stored.toString('utf8', headerBytes, valueAt),
    // A Buffer's `slice` is a view where a Uint8Array's is a copy; callers must not have to know.
    value: stored[0] === 0 ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, bytes.length - valueAt),
    appendedAtMs: stored.readDoubleLE(1),
  }
}

/** Time, key and kind of a stored record, without its value. */
export function peekRecord(bytes: Uint8Array): { appendedAtMs: number; key: Uint8Array; isRemoval: boolean } {
  const stored = bufferOf(bytes)
  return {
    appendedAtMs: stored.readDoubleLE(1),
    key: stored.subarray(headerBytes, headerBytes + stored.readUInt32LE(9)),
    isRemoval: stored[0] === 0,
  }
}

/** What LMDB reads are Buffers already: no view is made for each record. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Key of a record: u16 partition, u48 position, big endian, so that a partition is one range in order. */
export function recordKey(partition: number, position: number): Uint8Array {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt16BE(partition, 0)
  key.writeUIntBE(position, 2, 6)
  return key
}

/** The position in a record's key. */
export function positionIn(key: Uint8Array): number {
  return bufferOf(key).readUIntBE(2, 6)
}
