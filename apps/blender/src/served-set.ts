import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import type { PinKeys } from './pin-keys.ts'

/** The pins that a user was served lately. */
export interface ServedSet {
  readonly size: number
  has(high: number, low: number): boolean
}

/** Nothing was served. */
export const nothingServed: ServedSet = { size: 0, has: () => false }

/** Entries for some rows, as they are appended to the state store. */
export function encodeServed(keys: PinKeys, rows: ArrayLike<number>, atMs: number): Uint8Array {
  const entries = new Uint32Array(rows.length * 3)
  const seconds = Math.floor(atMs / 1000)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    entries[i * 3] = keys.high[row] ?? 0
    entries[i * 3 + 1] = keys.low[row] ?? 0
    entries[i * 3 + 2] = seconds
  }
  return new Uint8Array(entries.buffer)
}

/** What was served within `windowMs` before `atMs`, from stored bytes. A torn entry at the front, as a cap in bytes may leave it, is passed over. */
export function decodeServed(
  bytes: Uint8Array | null,
  bound: { readonly atMs: number; readonly windowMs: number },
): ServedSet {
  if (bytes === null || bytes.byteLength < servedEntryBytes) return nothingServed
  // A copy of its own: stored bytes may stand anywhere in a buffer.
  const whole = new Uint8Array(bytes.subarray(bytes.byteLength % servedEntryBytes))
  const entries = new Uint32Array(whole.buffer, 0, whole.byteLength / 4)
  const oldest = Math.floor((bound.atMs - bound.windowMs) / 1000)
  const slots = 1 << (32 - Math.clz32((entries.length / 3) * 2))
  // Entry number + 1; 0: free.
  const table = new Int32Array(slots)
  const find = (high: number, low: number): number => {
    let slot = low & (slots - 1)
    for (;;) {
      const entry = table[slot] as number
      if (entry === 0) return -slot - 1
      const at = (entry - 1) * 3
      if (entries[at] === high && entries[at + 1] === low) return slot
      slot = (slot + 1) & (slots - 1)
    }
  }
  let size = 0
  for (let at = 0; at < entries.length; at += 3) {
    if ((entries[at + 2] as number) < oldest) continue
    const slot = find(entries[at] as number, entries[at + 1] as number)
    if (slot >= 0) continue
    table[-slot - 1] = at / 3 + 1
    size++
  }
  return { size, has: (high, low) => find(high >>> 0, low >>> 0) >= 0 }
}
