import { noHeaders } from '@freshet/contracts/headers'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { appendHeaders, noHeaderBytes } from '../shared/log/header-bytes.ts'
import type { HeaderBytes, HeaderReader } from '../shared/log/header-bytes.ts'
import { writeKey } from '../shared/log/layouts.ts'

const keyAt = 13
/** Bits of the first byte. Records of earlier versions have no headers. */
const hasValue = 1
const hasHeaders = 2

/**
 * Records as they are stored, in one piece of memory of their own: u8 flags, f64 time, u32 length of the key, key, where
 * there are headers their u16 length and bytes, value; little endian. The time is 0 until `stampRecord` sets it. `shared`:
 * headers of all of them. Throws HEADERS_TOO_LARGE.
 */
export function encodeRecords(records: readonly NewRecord[], shared?: MessageHeaders): readonly StoredRecord[] {
  const headersOf = appendHeaders(shared)
  let most = 0
  for (const { key, value, headers } of records) {
    most += keyAt + 3 * key.length + 2 + headersOf.bytesOf(headers).length + (value?.length ?? 0)
  }
  const memory = Buffer.allocUnsafe(most)
  let at = 0
  return records.map((record) => {
    const { key, value } = record
    const headers = headersOf.bytesOf(record.headers)
    const from = at
    const keyEnd = writeKey(memory, key, from + keyAt)
    memory[from] = (value === null ? 0 : hasValue) | (headers === noHeaderBytes ? 0 : hasHeaders)
    memory.writeDoubleLE(0, from + 1)
    memory.writeUInt32LE(keyEnd - from - keyAt, from + 9)
    at = keyEnd
    if (headers !== noHeaderBytes) {
      at = memory.writeUInt16LE(headers.length, at)
      memory.set(headers, at)
      at += headers.length
    }
    if (value !== null) memory.set(value, at)
    at += value?.length ?? 0
    return { bytes: memory.subarray(from, at), key: memory.subarray(from + keyAt, keyEnd), headers }
  })
}

/** A record's stored bytes, and its key and headers within them. */
export interface StoredRecord {
  readonly bytes: Buffer
  readonly key: Uint8Array
  readonly headers: HeaderBytes
}

/** Sets a record's append time. */
export function stampRecord({ bytes }: StoredRecord, appendedAtMs: number): void {
  bytes.writeDoubleLE(appendedAtMs, 1)
}

/** The record at a position. Its value is a view of `bytes`, so they must stay as they are. */
export function decodeRecord(position: number, bytes: Uint8Array, reader: HeaderReader): LogRecord {
  const stored = bufferOf(bytes)
  const flags = stored.readUInt8(0)
  const keyEnd = keyAt + stored.readUInt32LE(9)
  let valueAt = keyEnd
  let headers = noHeaders
  if ((flags & hasHeaders) !== 0) {
    valueAt = keyEnd + 2 + stored.readUInt16LE(keyEnd)
    headers = reader.read(stored, keyEnd + 2, valueAt)
  }
  return {
    position,
    key: stored.toString('utf8', keyAt, keyEnd),
    // `slice` of a Buffer is a view, but of a Uint8Array a copy: give callers a Uint8Array.
    value:
      (flags & hasValue) === 0
        ? null
        : new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, bytes.length - valueAt),
    appendedAtMs: stored.readDoubleLE(1),
    headers,
  }
}

/** Time, key and kind of a stored record, without its value. */
export function peekRecord(bytes: Uint8Array): { appendedAtMs: number; key: Uint8Array; isRemoval: boolean } {
  const stored = bufferOf(bytes)
  return {
    appendedAtMs: stored.readDoubleLE(1),
    key: stored.subarray(keyAt, keyAt + stored.readUInt32LE(9)),
    isRemoval: (stored.readUInt8(0) & hasValue) === 0,
  }
}

/** LMDB already returns Buffers, so this creates no view per record. */
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
