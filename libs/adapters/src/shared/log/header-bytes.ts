import { checkHeaders, noHeaders } from '@freshet/contracts/headers'
import type { MessageHeaders } from '@freshet/contracts/headers'
import { writeZigzag } from './zigzag.ts'

/** Headers encoded as in Kafka's records: their count, then each name and value after its length, all numbers zigzag varints. No headers: the single byte 0. */
export type HeaderBytes = Uint8Array

/** The encoding of no headers. */
export const noHeaderBytes: HeaderBytes = Uint8Array.of(0)

const known = new WeakMap<MessageHeaders, HeaderBytes>([[noHeaders, noHeaderBytes]])
const longestVarint = 5

/** Encodes headers, each frozen object once. Throws HEADERS_TOO_LARGE. */
export function encodedHeaders(headers: MessageHeaders): HeaderBytes {
  const before = known.get(headers)
  if (before !== undefined) return before
  checkHeaders(headers)
  const bytes = encode(Object.entries(headers))
  if (Object.isFrozen(headers)) known.set(headers, bytes)
  return bytes
}

function encode(entries: readonly (readonly [string, string])[]): HeaderBytes {
  if (entries.length === 0) return noHeaderBytes
  const size = entries.reduce(
    (sum, [name, value]) => sum + 2 * longestVarint + Buffer.byteLength(name) + Buffer.byteLength(value),
    longestVarint,
  )
  const bytes = Buffer.alloc(size)
  let at = writeZigzag(bytes, 0, entries.length)
  const write = (text: string) => {
    at = writeZigzag(bytes, at, Buffer.byteLength(text))
    at += bytes.write(text, at)
  }
  for (const [name, value] of entries) {
    write(name)
    write(value)
  }
  return new Uint8Array(bytes.subarray(0, at))
}

/** Computes the headers of each record of one append. */
export interface AppendHeaders {
  /** Frozen. */
  of(own: MessageHeaders | undefined): MessageHeaders
  /** The same as bytes. Throws HEADERS_TOO_LARGE. */
  bytesOf(own: MessageHeaders | undefined): HeaderBytes
}

/** Merges the headers of an append with those of its records. Consecutive records that share an object cost one comparison each. */
export function appendHeaders(shared: MessageHeaders = noHeaders): AppendHeaders {
  const common = frozen(shared)
  const commonBytes = encodedHeaders(common)
  let lastOwn: MessageHeaders | undefined
  let last = common
  let lastBytes = commonBytes
  function turnTo(own: MessageHeaders): void {
    last = common === noHeaders ? frozen(own) : Object.freeze({ ...common, ...own })
    lastBytes = encodedHeaders(last)
    lastOwn = own
  }
  return {
    of(own) {
      if (own === undefined) return common
      if (own !== lastOwn) turnTo(own)
      return last
    },
    bytesOf(own) {
      if (own === undefined) return commonBytes
      if (own !== lastOwn) turnTo(own)
      return lastBytes
    },
  }
}

function frozen(headers: MessageHeaders): MessageHeaders {
  return Object.isFrozen(headers) ? headers : Object.freeze({ ...headers })
}

/** Reads headers; returns the previous object if the headers are equal. */
export interface HeaderReader {
  /** The headers in `bytes` from `from` to `to`. Throws a RangeError if they do not end at `to`. */
  read(bytes: Uint8Array, from: number, to: number): MessageHeaders
}

/** Creates a reader that remembers the last headers it read. */
export function createHeaderReader(): HeaderReader {
  let lastBytes: HeaderBytes = noHeaderBytes
  let last = noHeaders
  return {
    read(bytes, from, to) {
      if (equal(bytes, from, to, lastBytes)) return last
      last = decode(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from))
      lastBytes = new Uint8Array(bytes.subarray(from, to))
      return last
    },
  }
}

function equal(bytes: Uint8Array, from: number, to: number, other: HeaderBytes): boolean {
  if (to - from !== other.length) return false
  for (let i = 0; i < other.length; i++) if (bytes[from + i] !== other[i]) return false
  return true
}

function decode(bytes: Buffer): MessageHeaders {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
  }
  const text = (): string => {
    const length = number()
    // Kafka allows null values, encoded as length -1.
    if (length <= 0) return ''
    if (at + length > bytes.length) throw new RangeError('the headers of a record are longer than the record')
    return bytes.toString('utf8', at, (at += length))
  }
  const count = number()
  const entries: [string, string][] = []
  for (let i = 0; i < count; i++) entries.push([text(), text()])
  if (at !== bytes.length) throw new RangeError('the headers of a record end before the record')
  return entries.length === 0 ? noHeaders : Object.freeze(Object.fromEntries(entries))
}
