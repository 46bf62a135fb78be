/** Bytes of one entry: the pin's key (high, low) and when it was served, seconds since the epoch; little-endian. */
export const servedEntryBytes = 12

/** When the oldest entry of a served set was served, milliseconds since the epoch, down to the second; null: there is none. A torn entry at the front, as a cap in bytes may leave it, is passed over. */
export function oldestServedAtMs(bytes: Uint8Array): number | null {
  if (bytes.byteLength < servedEntryBytes) return null
  const first = bytes.byteLength % servedEntryBytes
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(first + 8, true) * 1000
}
