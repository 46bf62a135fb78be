import { describe, expect, test } from 'vitest'

import { SnapshotError } from './errors.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'

const bytes = encodeSnapshot((writer) => {
  const part = writer.under('part')
  part.i32('rows', Int32Array.of(1, -2, 3))
  part.f64('times', Float64Array.of(0.5, NaN))
  part.u8('flags', Uint8Array.of(1, 2, 3, 4, 5))
  part.u32('keys', Uint32Array.of(0xffffffff))
  part.f32('scores', Float32Array.of(1.5))
  part.json('names', ['ä', 'b'])
})

function codeOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof SnapshotError) return error.code
    throw error
  }
  return 'none'
}

test('gives back what was put', () => {
  const part = decodeSnapshot(bytes).under('part')
  expect(part.i32('rows')).toEqual(Int32Array.of(1, -2, 3))
  expect(part.f64('times')).toEqual(Float64Array.of(0.5, NaN))
  expect(part.u8('flags')).toEqual(Uint8Array.of(1, 2, 3, 4, 5))
  expect(part.u32('keys')).toEqual(Uint32Array.of(0xffffffff))
  expect(part.f32('scores')).toEqual(Float32Array.of(1.5))
  expect(part.json('names')).toEqual(['ä', 'b'])
})

describe('refuses', () => {
  test('a snapshot cut anywhere', () => {
    for (let length = 0; length < bytes.length; length += 7) {
      expect(codeOf(() => decodeSnapshot(bytes.slice(0, length)))).toBe('SNAPSHOT_TRUNCATED')
    }
  })

  test('a changed byte anywhere behind the header', () => {
    for (let at = 24; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 0x10
      expect(codeOf(() => decodeSnapshot(changed))).toBe('SNAPSHOT_CORRUPT')
    }
  })

  test('another version', () => {
    const other = bytes.slice()
    other[4] = 99
    expect(codeOf(() => decodeSnapshot(other))).toBe('SNAPSHOT_OTHER_VERSION')
  })

  test('bytes that are not a snapshot', () => {
    expect(codeOf(() => decodeSnapshot(new Uint8Array(100)))).toBe('SNAPSHOT_NOT_A_SNAPSHOT')
  })

  test('an absent section and a section of another kind', () => {
    expect(codeOf(() => decodeSnapshot(bytes).i32('absent'))).toBe('SNAPSHOT_CORRUPT')
    expect(codeOf(() => decodeSnapshot(bytes).under('part').f64('rows'))).toBe('SNAPSHOT_CORRUPT')
  })
})
