import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import type { PinKeys } from '@freshet/domain/pin-keys'

/** The pins that the blender served to a user recently. */
export interface ServedSet {
  /** Number of distinct pins. */
  readonly size: number
  has(high: number, low: number): boolean
  /** When a pin was last served, seconds since the epoch; 0: never. */
  atSeconds(high: number, low: number): number
  /** The halves of the keys and the times, oldest first: one entry for each time that a pin was served. */
  readonly highs: Uint32Array
  readonly lows: Uint32Array
  readonly seconds: Uint32Array
  /** Where the next sweep of the catalogue begins for the user; 0: at the start. */
  readonly sweptTo: number
  /** The bytes as the state store has them; null: none. */
  readonly stored: Uint8Array | null
}

/** An empty set. */
export const nothingServed: ServedSet = {
  size: 0,
  has: () => false,
  atSeconds: () => 0,
  highs: new Uint32Array(0),
  lows: new Uint32Array(0),
  seconds: new Uint32Array(0),
  sweptTo: 0,
  stored: null,
}

// An entry whose key has this upper half contains the position of the sweep. One pin in 4e9 has such a key.
const sweepMark = 0xffffffff

/** Encodes some rows for an append to the state store. `sweptTo`: position of the sweep; null: unchanged. */
export function encodeServed(
  keys: PinKeys,
  rows: ArrayLike<number>,
  atMs: number,
  sweptTo: number | null = null,
): Uint8Array {
  const entries = new Uint32Array((rows.length + (sweptTo === null ? 0 : 1)) * 3)
  const seconds = Math.floor(atMs / 1000)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    entries[i * 3] = keys.high[row] ?? 0
    entries[i * 3 + 1] = keys.low[row] ?? 0
    entries[i * 3 + 2] = seconds
  }
  if (sweptTo !== null) entries.set([sweepMark, sweptTo, seconds], rows.length * 3)
  return new Uint8Array(entries.buffer)
}

/** Reads the pins served within `windowMs` before `atMs` from stored bytes. Skips an incomplete entry at the front, which a cap in bytes can leave. */
export function decodeServed(
  bytes: Uint8Array | null,
  bound: { readonly atMs: number; readonly windowMs: number },
): ServedSet {
  if (bytes === null || bytes.byteLength < servedEntryBytes) return { ...nothingServed, stored: bytes }
  // A copy, because stored bytes need not be aligned.
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
  const highs = new Uint32Array(entries.length / 3)
  const lows = new Uint32Array(entries.length / 3)
  const seconds = new Uint32Array(entries.length / 3)
  let size = 0
  let kept = 0
  let sweptTo = 0
  for (let at = 0; at < entries.length; at += 3) {
    const [high, low, second] = [entries[at] as number, entries[at + 1] as number, entries[at + 2] as number]
    if (second < oldest) continue
    if (high === sweepMark) {
      sweptTo = low
      continue
    }
    highs[kept] = high
    lows[kept] = low
    seconds[kept++] = second
    // Entries are in order of time, so the last entry of a pin wins.
    const slot = find(high, low)
    table[slot >= 0 ? slot : -slot - 1] = at / 3 + 1
    if (slot < 0) size++
  }
  return {
    size,
    has: (high, low) => find(high >>> 0, low >>> 0) >= 0,
    atSeconds(high, low) {
      const slot = find(high >>> 0, low >>> 0)
      return slot < 0 ? 0 : (entries[((table[slot] as number) - 1) * 3 + 2] as number)
    },
    highs: highs.subarray(0, kept),
    lows: lows.subarray(0, kept),
    seconds: seconds.subarray(0, kept),
    sweptTo,
    stored: bytes,
  }
}
