import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { createHeaderReader } from '../../shared/log/header-bytes.ts'
import type { HeaderBytes, HeaderReader } from '../../shared/log/header-bytes.ts'
import { writeZigzag, zigzagBytes } from '../../shared/log/zigzag.ts'
import { crc32c } from './crc32c.ts'
import { decompress } from './decompress.ts'
import type { AbortedTransaction } from './hot-requests.ts'

/** Bytes of a batch before its records, and the maximum overhead of a record in addition to key, value and headers. */
export const batchOverheadBytes = 61
export const recordOverheadBytes = 36

const attributesAt = 21
const codecMask = 7
const logAppendTime = 8
const transactional = 16
const control = 32
const producerIdAt = 43

/** A record to encode. */
export interface EncodableRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  readonly headers: HeaderBytes
}

/** The producer of a batch; the broker uses it to drop repeated batches. */
export interface ProducerStamp {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Number of records that this producer sent to the partition before. */
  readonly sequence: number
}

/** Encodes a record batch (message format 2, not compressed) for a produce request. */
export function encodeBatch(records: readonly EncodableRecord[], stamp: ProducerStamp, nowMs: number): Buffer {
  let size = batchOverheadBytes
  for (const { key, value, headers } of records) {
    size += recordOverheadBytes + key.length + (value?.length ?? 0) + headers.length
  }
  const batch = Buffer.allocUnsafe(size)
  let at = batchOverheadBytes
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    const { key, value, headers } = record
    at = writeZigzag(batch, at, bodyBytes(i, record))
    batch[at++] = 0
    batch[at++] = 0
    at = writeZigzag(batch, at, i)
    at = writeBytes(batch, at, key)
    at = writeBytes(batch, at, value)
    at = copyBytes(batch, at, headers)
  }
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(at - 12, 8)
  batch.writeInt32BE(-1, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(0, attributesAt)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(Math.trunc(nowMs)), 27)
  batch.writeBigInt64BE(BigInt(Math.trunc(nowMs)), 35)
  batch.writeBigInt64BE(stamp.producerId, 43)
  batch.writeInt16BE(stamp.producerEpoch, 51)
  batch.writeInt32BE(stamp.sequence, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch, attributesAt, at), 17)
  return batch.subarray(0, at)
}

/** Size of attributes, time, offset, key, value and headers, without the length field. */
function bodyBytes(offset: number, { key, value, headers }: EncodableRecord): number {
  return (
    2 +
    zigzagBytes(offset) +
    zigzagBytes(key.length) +
    key.length +
    zigzagBytes(value === null ? -1 : value.length) +
    (value?.length ?? 0) +
    headers.length
  )
}

function writeBytes(target: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeZigzag(target, at, -1)
  return copyBytes(target, writeZigzag(target, at, bytes.length), bytes)
}

/** Copies bytes and returns their end. */
function copyBytes(target: Buffer, at: number, bytes: Uint8Array): number {
  const { length } = bytes
  if (length > copiedByHand) target.set(bytes, at)
  else for (let i = 0; i < length; i++) target[at + i] = bytes[i]!
  return at + length
}

/** Records read from a partition. */
export interface DecodedBatches {
  readonly records: readonly LogRecord[]
  /** One past the last position of the last complete batch, even if it is empty. */
  readonly next: number
}

/**
 * Decodes the records at or after `from` in the record batches of a fetch answer. Compaction empties batches but keeps their
 * positions, so `next` may advance without records. Skips the records of aborted transactions, and the markers that end transactions. Throws for formats before
 * Kafka 0.11, for a batch that cannot be unpacked, and for a wrong checksum.
 */
export function decodeBatches(
  bytes: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[] = [],
): DecodedBatches {
  const waiting = aborted.toSorted((a, b) => a.first - b.first)
  const abortedProducers = new Set<number>()
  const records: LogRecord[] = []
  const headers = createHeaderReader()
  let next = from
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length) break
    const magic = bytes.readInt8(at + 16)
    if (magic !== 2)
      throw new Error(`a record batch of format ${magic}; only format 2 (Kafka 0.11 and later) can be read`)
    const base = readPosition(bytes, at)
    const last = base + bytes.readInt32BE(at + 23)
    if (last >= from) {
      if (bytes.readUInt32BE(at + 17) !== crc32c(bytes, at + attributesAt, end)) {
        throw new Error(`the record batch at position ${base} is damaged: its checksum is wrong`)
      }
      const attributes = bytes.readInt16BE(at + attributesAt)
      while (waiting[0] !== undefined && waiting[0].first <= last)
        abortedProducers.add((waiting.shift() as AbortedTransaction).producerId)
      const producerId = (attributes & transactional) === 0 ? -1 : readPosition(bytes, at + producerIdAt)
      // The marker ends the transaction, and what the same producer writes next belongs to another one.
      if ((attributes & control) !== 0) abortedProducers.delete(producerId)
      else if (!abortedProducers.has(producerId)) {
        decodeRecords(bytes, { at, end, base, attributes }, from, headers, records)
      }
      next = last + 1
    }
    at = end
  }
  return { records, next }
}

interface BatchPlace {
  readonly at: number
  readonly end: number
  readonly base: number
  readonly attributes: number
}

function decodeRecords(
  bytes: Buffer,
  { at, end: batchEnd, base, attributes }: BatchPlace,
  from: number,
  headersIn: HeaderReader,
  into: LogRecord[],
): void {
  const firstTimeMs = readPosition(bytes, at + 27)
  const appendTimeMs = (attributes & logAppendTime) === 0 ? null : readPosition(bytes, at + 35)
  const count = bytes.readInt32BE(at + 57)
  const content = decompress(bytes.subarray(at + batchOverheadBytes, batchEnd), attributes & codecMask)
  const reader = createReader(content)
  for (let i = 0; i < count; i++) {
    const length = reader.varint()
    const end = reader.at() + length
    reader.skip(1)
    const timeDelta = reader.varlong()
    const position = base + reader.varint()
    if (position >= from) {
      const key = reader.text(reader.varint())
      const value = reader.copy(reader.varint())
      const headers = headersIn.read(content, reader.at(), end)
      into.push({ position, key, value, appendedAtMs: appendTimeMs ?? firstTimeMs + timeDelta, headers })
    }
    reader.seek(end)
  }
}

function readPosition(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}

const slabBytes = 32 << 10
/** Below this size, bytes, a loop is faster than `subarray` and `set`. */
const copiedByHand = 256
let slab = new Uint8Array(slabBytes)
let slabUsed = 0

function createReader(bytes: Buffer) {
  let at = 0
  const unsigned = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }
  return {
    at: () => at,
    seek: (to: number) => {
      at = to
    },
    skip: (count: number) => {
      at += count
    },
    varint: (): number => {
      const value = unsigned()
      return (value >>> 1) ^ -(value & 1)
    },
    /** Up to 2^53; times between records of one batch are far below that. */
    varlong: (): number => {
      let value = 0
      let factor = 1
      for (;;) {
        const byte = bytes.readUInt8(at++)
        value += (byte & 0x7f) * factor
        if (byte < 0x80) break
        factor *= 128
      }
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    },
    text: (length: number): string => {
      if (length <= 0) return ''
      const text = bytes.toString('utf8', at, at + length)
      at += length
      return text
    },
    /** Copies values into small slabs, so that a value kept by a view does not keep a whole answer in memory. */
    copy: (length: number): Uint8Array | null => {
      if (length < 0) return null
      let value: Uint8Array
      if (length > slabBytes / 8) value = new Uint8Array(length)
      else {
        if (slabUsed + length > slabBytes) {
          slab = new Uint8Array(slabBytes)
          slabUsed = 0
        }
        value = slab.subarray(slabUsed, slabUsed + length)
        slabUsed += length
      }
      if (length > copiedByHand) value.set(bytes.subarray(at, at + length))
      else for (let i = 0; i < length; i++) value[i] = bytes[at + i] ?? 0
      at += length
      return value
    },
  }
}
