import { ContractError } from '../errors.ts'
import { readVarint, writeVarint } from './varints.ts'

/**
 * Encodes an ascending column of distinct 32-bit numbers as Rice-coded gaps (Rice & Plaunt 1971): how many numbers, how many
 * low bits, then for each gap minus one its high part in unary and its low bits. Random numbers take half a bit each more
 * than their entropy, a fifth less than varints.
 */
export function riceOf(ascending: Uint32Array): Uint8Array {
  const count = ascending.length
  if (count === 0) return new Uint8Array(0)
  const mean = ((ascending[count - 1] ?? 0) + 1) / count
  const lowBits = Math.max(0, Math.floor(Math.log2(mean * Math.LN2)))
  // The quotients sum to at most max / 2^lowBits, so the unary parts are bounded too.
  const bytes = new Uint8Array(
    8 + Math.ceil((count * (lowBits + 2) + ((ascending[count - 1] ?? 0) + 1) / 2 ** lowBits) / 8),
  )
  let at = writeVarint(bytes, 0, count)
  bytes[at++] = lowBits
  let bit = at * 8
  let before = -1
  for (let i = 0; i < count; i++) {
    const gap = (ascending[i] ?? 0) - before - 1
    before = ascending[i] ?? 0
    for (let quotient = Math.floor(gap / 2 ** lowBits); quotient > 0; quotient--) {
      bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | (1 << (bit & 7))
      bit++
    }
    bit++
    // Up to a byte at a time: half of a 20-bit gap is low bits.
    for (let written = 0; written < lowBits;) {
      const room = Math.min(8 - (bit & 7), lowBits - written)
      const part = (gap >>> written) & ((1 << room) - 1)
      bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | (part << (bit & 7))
      written += room
      bit += room
    }
  }
  return bytes.slice(0, Math.ceil(bit / 8))
}

/** Decodes a column from `riceOf`. Throws CODEC_INVALID for invalid bytes. */
export function riceColumn(bytes: Uint8Array): Uint32Array {
  if (bytes.length === 0) return new Uint32Array(0)
  const head = { bytes, at: 0 }
  const count = readVarint(head)
  if (count < 0) refuse()
  let { at } = head
  const lowBits = bytes[at++] ?? refuse()
  const bits = bytes.length * 8
  let bit = at * 8
  // Every number takes at least one bit. A larger count comes from damage and must not cause an allocation.
  if (lowBits > 32 || count > bits - bit) refuse()
  const step = 2 ** lowBits
  const column = new Uint32Array(count)
  let before = -1
  for (let i = 0; i < count; i++) {
    let gap = 0
    while (bit < bits && (((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1) {
      gap += step
      bit++
    }
    bit++
    for (let read = 0; read < lowBits;) {
      const room = Math.min(8 - (bit & 7), lowBits - read)
      const part = ((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & ((1 << room) - 1)
      gap += read < 24 ? part << read : part * 2 ** read
      read += room
      bit += room
    }
    before += gap + 1
    if (bit > bits || before > 0xffffffff) refuse()
    column[i] = before
  }
  return column
}

function refuse(): never {
  throw new ContractError('CODEC_INVALID', 'the bytes are not a Rice-coded column')
}
