import { expect, test } from 'vitest'
import { bytesOf, float32Column, float64Column, uint16Column, uint32Column } from './columns.ts'
import { isContractError } from '../errors.ts'

test('columns are read from bytes wherever they stand, as Uint8Array or Buffer', () => {
  for (const offset of [0, 1, 2, 3, 4, 5, 7, 8]) {
    for (const make of [(bytes: Uint8Array) => bytes, (bytes: Uint8Array) => Buffer.from(bytes.buffer)]) {
      const place = (bytes: Uint8Array) => {
        const room = make(new Uint8Array(offset + bytes.length))
        room.set(bytes, offset)
        return room.subarray(offset)
      }
      expect([...float32Column(place(bytesOf(Float32Array.of(1.5, -2))))]).toEqual([1.5, -2])
      expect([...float64Column(place(bytesOf(Float64Array.of(1.1, -2))))]).toEqual([1.1, -2])
      expect([...uint16Column(place(bytesOf(Uint16Array.of(1, 65_535))))]).toEqual([1, 65_535])
      expect([...uint32Column(place(bytesOf(Uint32Array.of(1, 4_294_967_295))))]).toEqual([1, 4_294_967_295])
    }
  }
})

test('a wrong length is CODEC_INVALID', () => {
  for (const read of [float32Column, float64Column, uint16Column, uint32Column]) {
    try {
      read(new Uint8Array(3))
      expect.unreachable()
    } catch (error) {
      expect(isContractError(error, 'CODEC_INVALID')).toBe(true)
    }
  }
})
