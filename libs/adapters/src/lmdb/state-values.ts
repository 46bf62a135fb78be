import type { BytesDatabase } from './environment.ts'

/** Bytes before a value: when it expires, milliseconds since the epoch, Infinity for never. */
const HEAD = 8

/** A value as it is stored. */
export function storedValue(value: Uint8Array, expiresAtMs: number): Uint8Array {
  const stored = Buffer.allocUnsafe(HEAD + value.length)
  stored.writeDoubleBE(expiresAtMs)
  stored.set(value, HEAD)
  return stored
}

/** A copy of a value that has not expired; null: none. */
export function liveValue(database: BytesDatabase, key: Uint8Array, nowMs: number): Uint8Array | null {
  const stored = database.getBinaryFast(key)
  if (stored === undefined || expiryIn(stored) <= nowMs) return null
  // The client's buffer is longer than its `length` says.
  const value = new Uint8Array(stored.length - HEAD)
  value.set(new Uint8Array(stored.buffer, stored.byteOffset + HEAD, value.length))
  return value
}

/** When a stored value, or a generation of the dedupe memory, expires. */
export function expiryIn(stored: Uint8Array): number {
  return new DataView(stored.buffer, stored.byteOffset, HEAD).getFloat64(0)
}

/** Position and meta as they are stored. */
export function storedPosition(position: number, meta: Uint8Array | null): Uint8Array {
  const stored = Buffer.alloc(9 + (meta?.length ?? 0))
  stored.writeDoubleBE(position)
  stored[8] = meta === null ? 0 : 1
  if (meta !== null) stored.set(meta, 9)
  return stored
}

/** A partition's position and a copy of its meta. */
export function readPosition(
  database: BytesDatabase,
  key: Uint8Array,
): { readonly position: number | null; readonly meta: Uint8Array | null } {
  const stored = database.get(key)
  if (stored === undefined) return { position: null, meta: null }
  const position = new DataView(stored.buffer, stored.byteOffset, 8).getFloat64(0)
  return { position, meta: stored[8] === 1 ? new Uint8Array(stored.subarray(9)) : null }
}
