import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { fewColumn, fewOf, sparseColumn, sparseOf } from './sparse.ts'

describe('columns', () => {
  it('with many zeros decode to the encoded numbers', () => {
    const number = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(), fc.maxSafeNat())
    fc.assert(
      fc.property(fc.array(number, { maxLength: 100 }), (numbers) => {
        expect(Array.from(sparseColumn(sparseOf(numbers), numbers.length))).toEqual(numbers)
      }),
    )
    expect(sparseOf(new Array<number>(200).fill(0)).length).toBe(25)
  })

  it('of few values and of many values decode to the encoded ones', () => {
    const few = fc.array(fc.constantFrom(7, 8, 255), { maxLength: 300 })
    fc.assert(
      fc.property(fc.oneof(few, fc.array(fc.nat(255), { maxLength: 600 })), (column) => {
        expect(Array.from(fewColumn(fewOf(column)))).toEqual(column)
      }),
    )
    expect(fewOf(Array.from({ length: 200 }, (_, row) => row % 4)).length).toBe(2 + 1 + 4 + 50)
  })

  it('that are damaged are read or refused with CODEC_INVALID, and never with another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(50), (bytes, rows) => {
        for (const read of [() => sparseColumn(bytes, rows), () => fewColumn(bytes)]) {
          try {
            read()
          } catch (error) {
            expect(isContractError(error, 'CODEC_INVALID'), String(error)).toBe(true)
          }
        }
      }),
      { numRuns: 1000 },
    )
  })
})
