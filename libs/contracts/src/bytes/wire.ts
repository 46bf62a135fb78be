import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { writeVarint } from './varints.ts'

interface Encoder<Message> {
  encode(message: Message, writer?: BinaryWriter): BinaryWriter
}

let writer = new BinaryWriter()

/** Encodes a message with a shared writer. A new writer for each message would spend a third of the time on allocation. */
export function encodeMessage<Message>(encoder: Encoder<Message>, message: Message): Uint8Array {
  try {
    return encoder.encode(message, writer).finish()
  } catch (error) {
    // A half-written message must not become the start of the next one.
    writer = new BinaryWriter()
    throw error
  }
}

/**
 * Writes a protobuf message field by field into a shared buffer. For the few messages that are written for every event, it
 * avoids an array for each column. Write fields in the order of their numbers. It omits zeros and empty fields, so the bytes
 * equal those of the generated code.
 */
export interface FieldWriter {
  /** A varint field: a whole number in [0, 2^53). */
  uint(field: number, value: number): void
  /** A varint field that distinguishes absent from 0: it omits null and writes 0. */
  optional(field: number, value: number | null): void
  bytes(field: number, bytes: Uint8Array): void
  /** A bytes field from a range of `bytes`. */
  range(field: number, bytes: Uint8Array, from: number, to: number): void
  /** A number of exactly four bytes, 0 included. */
  fixed32(field: number, value: number): void
  text(field: number, text: string): void
  /** A bytes field with a column of varints: all numbers, or the first `count`. */
  varints(field: number, numbers: ArrayLike<number>, count?: number): void
  /** A bytes field with a column of float64: the first `count` numbers. */
  doubles(field: number, numbers: Float64Array, count: number): void
  /** A bytes field with an ascending column: the first number, then the gaps. */
  gaps(field: number, ascending: ArrayLike<number>): void
  /** One byte of the field that `message` has begun. */
  byte(value: number): void
  /** Bytes of the field that `message` has begun, without their own key or length. */
  raw(bytes: Uint8Array, from: number, to: number): void
  /** Bytes written so far. */
  length(): number
  /** A nested message. */
  message(field: number, write: (to: FieldWriter) => void): void
}

let buffer = Buffer.allocUnsafe(64 << 10)
let at = 0

/** The bytes that `write` writes. Calls must not be nested. Throws a RangeError for a number outside [0, 2^53). */
export function encodeFields(write: (to: FieldWriter) => void): Uint8Array {
  at = 0
  write(fields)
  const bytes = small(at)
  if (at <= copiedByHand) for (let i = 0; i < at; i++) bytes[i] = buffer[i] ?? 0
  else bytes.set(buffer.subarray(0, at))
  return bytes
}

/** Up to this many bytes, a loop is faster than a call. */
const copiedByHand = 64
const slabBytes = 64 << 10
let slab = new Uint8Array(slabBytes)
let slabUsed = 0

/** Allocates room for a message. Small messages share memory, since an allocation costs more than the message. */
function small(length: number): Uint8Array {
  if (length > slabBytes / 16) return new Uint8Array(length)
  if (slabUsed + length > slabBytes) {
    slab = new Uint8Array(slabBytes)
    slabUsed = 0
  }
  slabUsed += length
  return slab.subarray(slabUsed - length, slabUsed)
}

const fields: FieldWriter = {
  uint(field, value) {
    if (value === 0) return
    room(16)
    varint(field * 8)
    varint(value)
  },
  optional(field, value) {
    if (value === null) return
    room(16)
    varint(field * 8)
    varint(value)
  },
  bytes(field, bytes) {
    if (bytes.length === 0) return
    room(bytes.length + 16)
    varint(field * 8 + 2)
    varint(bytes.length)
    buffer.set(bytes, at)
    at += bytes.length
  },
  range(field, bytes, from, to) {
    const length = to - from
    if (length <= 0) return
    room(length + 16)
    varint(field * 8 + 2)
    varint(length)
    for (let i = from; i < to; i++) buffer[at++] = bytes[i] ?? 0
  },
  fixed32(field, value) {
    room(16)
    varint(field * 8 + 5)
    at = buffer.writeUInt32LE(value, at)
  },
  text(field, text) {
    if (text === '') return
    room(text.length * 3 + 16)
    const start = begin(field)
    writeText(text)
    end(start)
  },
  varints(field, numbers, count = numbers.length) {
    if (count === 0) return
    room(count * 8 + 16)
    const start = begin(field)
    for (let i = 0; i < count; i++) varint(numbers[i] ?? 0)
    end(start)
  },
  doubles(field, numbers, count) {
    if (count === 0) return
    room(count * 8 + 16)
    varint(field * 8 + 2)
    varint(count * 8)
    for (let i = 0; i < count; i++) at = buffer.writeDoubleLE(numbers[i] ?? 0, at)
  },
  gaps(field, ascending) {
    if (ascending.length === 0) return
    room(ascending.length * 8 + 16)
    const start = begin(field)
    let before = 0
    for (let i = 0; i < ascending.length; i++) {
      const value = ascending[i] ?? 0
      varint(value - before)
      before = value
    }
    end(start)
  },
  byte(value) {
    room(1)
    buffer[at++] = value
  },
  raw(bytes, from, to) {
    room(to - from)
    for (let i = from; i < to; i++) buffer[at++] = bytes[i] ?? 0
  },
  length: () => at,
  message(field, write) {
    room(16)
    const start = begin(field)
    write(fields)
    room(16)
    end(start)
  },
}

/** Ids are short and nearly always ASCII; for those a loop is faster than a call. */
function writeText(text: string): void {
  const from = at
  if (text.length <= copiedByHand) {
    let i = 0
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) break
      buffer[from + i] = code
    }
    at = from + i
    if (i === text.length) return
  }
  at = from + buffer.write(text, from, 'utf8')
}

function room(bytes: number): void {
  if (at + bytes <= buffer.length) return
  const larger = Buffer.allocUnsafe(2 * (at + bytes))
  larger.set(buffer.subarray(0, at))
  buffer = larger
}

/** Writes the key of a length-delimited field, and one byte for the length. */
function begin(field: number): number {
  varint(field * 8 + 2)
  return ++at
}

/** Writes the length. If it takes more than one byte, moves the content. */
function end(start: number): void {
  const length = at - start
  if (length >= 0x80) {
    const extra = length < 0x4000 ? 1 : length < 0x200000 ? 2 : length < 0x10000000 ? 3 : 4
    buffer.copyWithin(start + extra, start, at)
    at = start - 1
    varint(length)
    at += length
  } else buffer[start - 1] = length
}

function varint(value: number): void {
  at = writeVarint(buffer, at, value)
}
