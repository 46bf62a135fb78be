import { noHeaders } from '@freshet/contracts/headers'
import { expect, test } from 'vitest'
import { createHeaderReader } from '../shared/log/header-bytes.ts'
import { decodeRecord, encodeRecords, peekRecord, stampRecord } from './log-records.ts'

const appendedAtMs = 1_700_000_000_123
const value = Uint8Array.of(1, 2, 255)
const origin = { origin: 'test/1' }

/** Bytes as a version first wrote them. They must stay readable: add to this list, change nothing in it. */
const golden = [
  // Before records had headers.
  { hex: '0100b08756febc78420300000075c3a90102ff', record: { key: 'ué', value, headers: noHeaders } },
  { hex: '0000b08756febc78420300000075c3a9', record: { key: 'ué', value: null, headers: noHeaders } },
  // With headers.
  {
    hex: '0300b08756febc78420300000075c3a90f00020c6f726967696e0c746573742f310102ff',
    record: { key: 'ué', value, headers: origin },
  },
  {
    hex: '0200b08756febc78420300000075c3a90f00020c6f726967696e0c746573742f31',
    record: { key: 'ué', value: null, headers: origin },
  },
]

test.each(golden)('stored records of every version are read, and still written: $record', ({ hex, record }) => {
  const bytes = Buffer.from(hex, 'hex')
  expect(decodeRecord(7, bytes, createHeaderReader())).toEqual({ ...record, position: 7, appendedAtMs })
  expect(peekRecord(bytes)).toEqual({
    appendedAtMs,
    key: Buffer.from(record.key),
    isRemoval: record.value === null,
  })
  const [stored] = encodeRecords([{ ...record, partition: null }])
  stampRecord(stored!, appendedAtMs)
  expect(stored!.bytes.toString('hex')).toBe(hex)
})
