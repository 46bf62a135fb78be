import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'

const headerBytes = 13
const decoder = new TextDecoder()

/** A record as it is stored: u8 1 where it has a value, f64 time, u32 length of the key, key, value; little endian. */
export function encodeRecord(record: NewRecord, key: Uint8Array, appendedAtMs: number): Uint8Array {
  const { value } = record
  const bytes = new Uint8Array(headerBytes + key.length + (value?.length ?? 0))
  const view = new DataView(bytes.buffer)
  view.setUint8(0, value === null ? 0 : 1)
  view.setFloat64(1, appendedAtMs, true)
  view.setUint32(9, key.length, true)
  bytes.set(key, headerBytes)
  if (value !== null) bytes.set(value, headerBytes + key.length)
  return bytes
}

/** The record at a position. Its value is a view of `bytes`, so they must stay as they are. */
export function decodeRecord(position: number, bytes: Uint8Array): LogRecord {
  const view = viewOf(bytes)
  const valueAt = headerBytes + view.getUint32(9, true)
  return {
    position,
    key: decoder.decode(bytes.subarray(headerBytes, valueAt)),
    // A Buffer's `slice` is a view where a Uint8Array's is a copy; callers must not have to know.
    value:
      view.getUint8(0) === 0 ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, bytes.length - valueAt),
    appendedAtMs: view.getFloat64(1, true),
  }
}

/** Time, key and kind of a stored record, without its value. */
export function peekRecord(bytes: Uint8Array): { appendedAtMs: number; key: Uint8Array; isRemoval: boolean } {
  const view = viewOf(bytes)
  return {
    appendedAtMs: view.getFloat64(1, true),
    key: bytes.subarray(headerBytes, headerBytes + view.getUint32(9, true)),
    isRemoval: view.getUint8(0) === 0,
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Key of a record: u16 partition, u48 position, big endian, so that a partition is one range in order. */
export function recordKey(partition: number, position: number): Uint8Array {
  const key = new Uint8Array(8)
  const view = new DataView(key.buffer)
  view.setUint16(0, partition)
  view.setUint16(2, Math.floor(position / 0x1_0000_0000))
  view.setUint32(4, position % 0x1_0000_0000)
  return key
}

/** The position in a record's key. */
export function positionIn(key: Uint8Array): number {
  const view = viewOf(key)
  return view.getUint16(2) * 0x1_0000_0000 + view.getUint32(4)
}
