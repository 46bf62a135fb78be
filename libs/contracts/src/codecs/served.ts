/** Bytes of one entry: the pin's key (high, low) and when it was served, seconds since the epoch; little-endian. */
export const servedEntryBytes = 12

/** When the oldest entry of a served set was served, milliseconds since the epoch, rounded down to the second; null: there is none. Skips an incomplete entry at the front, which a limit in bytes can leave. */
export function oldestServedAtMs(bytes: Uint8Array): number | null {
  if (bytes.byteLength < servedEntryBytes) return null
  const first = bytes.byteLength % servedEntryBytes
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(first + 8, true) * 1000
}
