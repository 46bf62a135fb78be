import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { writeVarint } from './varints.ts'

interface Encoder<Message> {
  encode(message: Message, writer?: BinaryWriter): BinaryWriter
}

let writer = new BinaryWriter()

/** Bytes of a message, written through one buffer that is kept: a writer of its own for each would spend a third of the time on allocating it. */
export function encodeMessage<Message>(encoder: Encoder<Message>, message: Message): Uint8Array {
  try {
    return encoder.encode(message, writer).finish()
  } catch (error) {
    // What was half written must not begin the next message.
    writer = new BinaryWriter()
    throw error
  }
}

/**
 * Writes a protobuf message field by field into one buffer that is kept: for the few messages written for every event,
 * whose columns would otherwise each be an array of its own first. Fields are given in the order of their numbers;
 * zeros and empty ones are left out, so the bytes are those that the generated code writes.
 */
export interface FieldWriter {
  /** A varint field: a whole number in [0, 2^53). */
  uint(field: number, value: number): void
  /** The same where absent is another thing than 0: null is left out, 0 is written. */
  optional(field: number, value: number | null): void
  bytes(field: number, bytes: Uint8Array): void
  /** The same of a part of some bytes. */
  range(field: number, bytes: Uint8Array, from: number, to: number): void
  /** A number of exactly four bytes, 0 included. */
  fixed32(field: number, value: number): void
  text(field: number, text: string): void
  /** A bytes field that is a column of varints: of all numbers, or the first `count`. */
  varints(field: number, numbers: ArrayLike<number>, count?: number): void
  /** A bytes field that is a column of float64: the first `count` numbers. */
  doubles(field: number, numbers: Float64Array, count: number): void
  /** A bytes field that is an ascending column: the first number, then what each adds. */
  gaps(field: number, ascending: ArrayLike<number>): void
  /** One byte of a field that `message` has begun. */
  byte(value: number): void
  /** Bytes of a field that `message` has begun, without a key or length of their own. */
  raw(bytes: Uint8Array, from: number, to: number): void
  /** Bytes written so far. */
  length(): number
  /** A nested message. */
  message(field: number, write: (to: FieldWriter) => void): void
}

let buffer = Buffer.allocUnsafe(64 << 10)
let at = 0

/** Bytes of what `write` writes. Not for use within itself. Throws a RangeError for a number that is none of [0, 2^53). */
export function encodeFields(write: (to: FieldWriter) => void): Uint8Array {
  at = 0
  write(fields)
  const bytes = small(at)
  if (at <= copiedByHand) for (let i = 0; i < at; i++) bytes[i] = buffer[i] ?? 0
  else bytes.set(buffer.subarray(0, at))
  return bytes
}

/** Below this a loop is faster than a call. */
const copiedByHand = 64
const slabBytes = 64 << 10
let slab = new Uint8Array(slabBytes)
let slabUsed = 0

/** Room for a message: small ones share memory, since an allocation costs more than the message. */
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
    at += buffer.write(text, at, 'utf8')
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

function room(bytes: number): void {
  if (at + bytes <= buffer.length) return
  const larger = Buffer.allocUnsafe(2 * (at + bytes))
  larger.set(buffer.subarray(0, at))
  buffer = larger
}

/** Writes the key of a field with a length, and a byte for the length. */
function begin(field: number): number {
  varint(field * 8 + 2)
  return ++at
}

/** Writes the length; a longer one moves what was written. */
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
