import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { ascendingColumn, gapsOf, varintColumn, varintsOf } from './varints.ts'

const numbers = fc.array(fc.oneof(fc.nat(300), fc.maxSafeNat()))

describe('columns of varints', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(numbers, (list) => {
        expect([...varintColumn(varintsOf(list))]).toEqual(list)
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 31 - 1)), (list) => {
        const ascending = [...list].sort((a, b) => a - b)
        expect([...ascendingColumn(gapsOf(ascending))]).toEqual(ascending)
      }),
    )
  })

  it('take a byte for a number below 128', () => {
    expect(varintsOf([0, 1, 127])).toEqual(Uint8Array.of(0, 1, 127))
    expect(varintsOf([128, 300])).toEqual(Uint8Array.of(0x80, 1, 0xac, 2))
  })

  it('can be larger than their first buffer', () => {
    const long = Array.from({ length: 5000 }, (_, i) => i * 1e9)
    expect([...varintColumn(varintsOf(long))]).toEqual(long)
  })

  it('refuse numbers that they cannot hold', () => {
    for (const bad of [-1, 0.5, NaN, 2 ** 53]) expect(() => varintsOf([bad])).toThrow(RangeError)
    expect(() => gapsOf([2, 1])).toThrow(RangeError)
  })

  it('reject invalid bytes with CODEC_INVALID and no other error', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          expect(varintColumn(bytes).every(Number.isSafeInteger)).toBe(true)
        } catch (error) {
          expect(isContractError(error, 'CODEC_INVALID')).toBe(true)
        }
      }),
    )
    expect(() => varintColumn(Uint8Array.of(0x80))).toThrow(/ends within/)
    expect(() => varintColumn(new Uint8Array(9).fill(0xff))).toThrow(/longer than 8/)
  })
})
