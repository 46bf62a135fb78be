import { ContractError } from '../errors.ts'

/** Encodes whole numbers in [0, 2^53) as unsigned LEB128. Small numbers take one byte. Throws a RangeError for any other number. */
export function varintsOf(numbers: ArrayLike<number>): Uint8Array {
  const bytes = roomFor(numbers.length)
  let at = 0
  for (let i = 0; i < numbers.length; i++) at = writeVarint(bytes, at, numbers[i]!)
  return bytes.slice(0, at)
}

const maxVarintBytes = 8
let scratch = new Uint8Array(4096)

/** One buffer for all columns, which are written one at a time and then copied. */
function roomFor(numbers: number): Uint8Array {
  if (scratch.length < numbers * maxVarintBytes) scratch = new Uint8Array(2 * numbers * maxVarintBytes)
  return scratch
}

/** Writes one varint at `from`, which needs room for 8 bytes, and returns its end. Throws a RangeError for a number outside [0, 2^53). */
export function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let at = from
  let rest = value
  if (!Number.isSafeInteger(rest) || rest < 0) throw new RangeError(`${rest} is not a whole number in [0, 2^53)`)
  while (rest >= 0x10000000) {
    bytes[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** A position in bytes, for reading varints one after the other. */
export interface ByteCursor {
  readonly bytes: Uint8Array
  at: number
}

/** Reads one varint of at most 8 bytes and moves the cursor past it; -1 if the bytes end within it or it is longer. */
export function readVarint(cursor: ByteCursor): number {
  let value = 0
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) return -1
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
  return -1
}

/** Decodes a column of varints. Throws CODEC_INVALID if the bytes end within a number or a number is 2^53 or more. */
export function varintColumn(bytes: Uint8Array): Float64Array {
  let length = 0
  for (const byte of bytes) if (byte < 0x80) length++
  const numbers = new Float64Array(length)
  let value = 0
  let scale = 1
  let out = 0
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) throw new ContractError('CODEC_INVALID', 'a varint is 2^53 or more')
      numbers[out++] = value
      value = 0
      scale = 1
    } else {
      scale *= 128
      if (scale > 2 ** 56) throw new ContractError('CODEC_INVALID', 'a varint is longer than 8 bytes')
    }
  }
  if (scale !== 1) throw new ContractError('CODEC_INVALID', 'a column ends within a varint')
  return numbers
}

/** Encodes an ascending column as varints: the first number, then the gaps. */
export function gapsOf(ascending: ArrayLike<number>): Uint8Array {
  const bytes = roomFor(ascending.length)
  let at = 0
  let before = 0
  for (let i = 0; i < ascending.length; i++) {
    const value = ascending[i]!
    at = writeVarint(bytes, at, value - before)
    before = value
  }
  return bytes.slice(0, at)
}

/** Decodes an ascending column from `gapsOf`. Throws CODEC_INVALID as `varintColumn` does, and if a sum exceeds 2^53. */
export function ascendingColumn(bytes: Uint8Array): Float64Array {
  const numbers = varintColumn(bytes)
  let sum = 0
  for (let i = 0; i < numbers.length; i++) {
    sum += numbers[i]!
    numbers[i] = sum
  }
  if (sum > Number.MAX_SAFE_INTEGER) throw new ContractError('CODEC_INVALID', 'an ascending column passes 2^53')
  return numbers
}
