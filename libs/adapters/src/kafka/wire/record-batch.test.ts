import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodedHeaders, noHeaderBytes } from '../../shared/log/header-bytes.ts'
import { crc32c } from './crc32c.ts'
import { decodeBatches, encodeBatch } from './record-batch.ts'

const load = createRequire(import.meta.url)
const bytes = (text: string) => new TextEncoder().encode(text)
const stamp = { producerId: 77n, producerEpoch: 3, sequence: 9 }
const headerBytes = 61
const encodable = ({ headers, ...record }: { key: Uint8Array; value: Uint8Array | null; headers: MessageHeaders }) => ({
  ...record,
  headers: encodedHeaders(headers),
})

/** A batch as a broker returns it, from `base` on. */
function placed(batch: Buffer, base: number): Buffer {
  const copy = Buffer.from(batch)
  copy.writeBigInt64BE(BigInt(base), 0)
  return copy
}

function resealed(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

const headerMaps = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { maxKeys: 4 })

const records = fc.array(
  fc.record({
    key: fc.string({ unit: 'binary' }).map(bytes),
    value: fc.option(fc.uint8Array({ maxLength: 300 })),
    headers: headerMaps,
  }),
  { minLength: 1, maxLength: 200 },
)

describe('CRC-32C', () => {
  test('gives the check value of its standard', () => {
    expect(crc32c(bytes('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  test('does not depend on the offset of the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(7), (data, offset) => {
        const shifted = new Uint8Array(offset + data.length)
        shifted.set(data, offset)
        return crc32c(shifted, offset, shifted.length) === crc32c(data)
      }),
    )
  })
})

describe('record batches', () => {
  test('decode to the records that were encoded', () => {
    fc.assert(
      fc.property(records, fc.nat(2 ** 40), (input, base) => {
        const { records: output, next } = decodeBatches(
          placed(encodeBatch(input.map(encodable), stamp, 1_234), base),
          base,
        )
        expect(next).toBe(base + input.length)
        expect(output).toEqual(
          input.map(({ key, value, headers }, i) => ({
            position: base + i,
            key: new TextDecoder().decode(key),
            value: value === null ? null : new Uint8Array(value),
            appendedAtMs: 1_234,
            headers,
          })),
        )
      }),
    )
  })

  test('equal those of kafkajs, byte for byte', async () => {
    const { RecordBatch } = load('kafkajs/src/protocol/recordBatch/v0/index.js') as {
      RecordBatch: (args: object) => Promise<{ buffer: Buffer }>
    }
    const Record = load('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (args: object) => object
    const input = Array.from({ length: 300 }, (_, i) => ({
      key: bytes(`key-${i}`),
      value: i % 7 === 0 ? null : new Uint8Array(i * 3).fill(i),
      headers: i % 3 === 0 ? { origin: 'blender/1', 'Schlüssel 🗝': 'x'.repeat(i) } : noHeaders,
    }))
    const theirs = await RecordBatch({
      firstTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_000_000,
      partitionLeaderEpoch: -1,
      producerId: 77,
      producerEpoch: 3,
      firstSequence: 9,
      lastOffsetDelta: input.length - 1,
      records: input.map(({ key, value, headers }, i) =>
        Record({
          key: Buffer.from(key),
          value: value === null ? null : Buffer.from(value),
          offsetDelta: i,
          timestampDelta: 0,
          headers,
        }),
      ),
    })
    expect(encodeBatch(input.map(encodable), stamp, 1_700_000_000_000).equals(theirs.buffer)).toBe(true)
  })

  test('begin at the requested position, and leave an incomplete last batch for the next read', () => {
    const one = placed(
      encodeBatch(
        [1, 2, 3].map((n) => ({ key: bytes(`${n}`), value: null, headers: noHeaderBytes })),
        stamp,
        0,
      ),
      10,
    )
    const two = placed(
      encodeBatch(
        [4, 5].map((n) => ({ key: bytes(`${n}`), value: null, headers: noHeaderBytes })),
        stamp,
        0,
      ),
      13,
    )
    const both = Buffer.concat([one, two])
    expect(decodeBatches(both, 11).records.map(({ key }) => key)).toEqual(['2', '3', '4', '5'])
    const cut = decodeBatches(both.subarray(0, both.length - 1), 11)
    expect({ keys: cut.records.map(({ key }) => key), next: cut.next }).toEqual({ keys: ['2', '3'], next: 13 })
    expect(decodeBatches(both.subarray(0, 30), 11)).toEqual({ records: [], next: 11 })
  })

  test('that compaction has emptied advance the reader', () => {
    const empty = encodeBatch([{ key: bytes('k'), value: null, headers: noHeaderBytes }], stamp, 0).subarray(
      0,
      headerBytes,
    )
    empty.writeInt32BE(41, 23)
    empty.writeInt32BE(0, 57)
    expect(decodeBatches(placed(resealed(empty), 100), 100)).toEqual({ records: [], next: 142 })
  })

  test('take their time from the broker if they say so', () => {
    const batch = encodeBatch([{ key: bytes('k'), value: null, headers: noHeaderBytes }], stamp, 5)
    batch.writeInt16BE(8, 21)
    batch.writeBigInt64BE(999n, 35)
    expect(decodeBatches(resealed(batch), 0).records[0]?.appendedAtMs).toBe(999)
  })

  test('compressed with gzip are read', () => {
    const plain = encodeBatch([{ key: bytes('k'), value: bytes('v'), headers: noHeaderBytes }], stamp, 5)
    const batch = Buffer.concat([plain.subarray(0, headerBytes), gzipSync(plain.subarray(headerBytes))])
    batch.writeInt16BE(1, 21)
    expect(decodeBatches(resealed(batch), 0).records[0]?.key).toBe('k')
  })

  test('that cannot be read give the reason', () => {
    const batch = () => encodeBatch([{ key: bytes('k'), value: bytes('v'), headers: noHeaderBytes }], stamp, 5)
    const lz4 = batch()
    lz4.writeInt16BE(3, 21)
    expect(() => decodeBatches(resealed(lz4), 0)).toThrow(/compressed with LZ4 cannot be read/)
    const old = batch()
    old.writeInt8(1, 16)
    expect(() => decodeBatches(old, 0)).toThrow(/format 1/)
    const damaged = batch()
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1)
    expect(() => decodeBatches(damaged, 0)).toThrow(/checksum/)
  })

  test('skip transaction markers', () => {
    const marker = encodeBatch([{ key: bytes('k'), value: bytes('v'), headers: noHeaderBytes }], stamp, 5)
    marker.writeInt16BE(32 | 16, 21)
    expect(decodeBatches(resealed(marker), 0)).toEqual({ records: [], next: 1 })
  })

  test('of aborted transactions are skipped up to their marker, and no others', () => {
    const batch = (key: string, producerId: number, position: number, attributes = 16) => {
      const made = encodeBatch([{ key: bytes(key), value: bytes('v'), headers: noHeaderBytes }], stamp, 5)
      made.writeBigInt64BE(BigInt(position), 0)
      made.writeInt16BE(attributes, 21)
      made.writeBigInt64BE(BigInt(producerId), 43)
      return resealed(made)
    }
    const all = Buffer.concat([
      batch('kept', 7, 0),
      batch('marker', 7, 1, 16 | 32),
      batch('aborted', 7, 2),
      batch('of another', 8, 3),
      batch('outside', 7, 4, 0),
      batch('aborted too', 7, 5),
      batch('marker', 7, 6, 16 | 32),
      batch('kept again', 7, 7),
    ])
    const { records, next } = decodeBatches(all, 0, [{ producerId: 7, first: 2 }])
    expect(records.map(({ key }) => key)).toEqual(['kept', 'of another', 'outside', 'kept again'])
    expect(next).toBe(8)
    expect(decodeBatches(all, 5, [{ producerId: 7, first: 2 }]).records.map(({ key }) => key)).toEqual(['kept again'])
  })
})
