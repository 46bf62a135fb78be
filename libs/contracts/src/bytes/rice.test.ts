import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { riceColumn, riceOf } from './rice.ts'

const ascending = (max: number) =>
  fc.uniqueArray(fc.nat(max), { maxLength: 300 }).map((list) => Uint32Array.from(list.sort((a, b) => a - b)))

describe('Rice-coded columns', () => {
  it('are read as they were written', () => {
    for (const max of [300, 2 ** 20 - 1, 0xffffffff]) {
      fc.assert(
        fc.property(ascending(max), (column) => {
          expect(riceColumn(riceOf(column))).toEqual(column)
        }),
      )
    }
    const extremes = [[], [0], [0xffffffff], [0, 0xffffffff], [0, 1, 2, 3]]
    for (const list of extremes) expect([...riceColumn(riceOf(Uint32Array.from(list)))]).toEqual(list)
  })

  it('take at most 14 bits for each of 300 random 20-bit numbers', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(2 ** 20 - 1), { minLength: 300, maxLength: 300 }), (list) => {
        const column = Uint32Array.from(list.sort((a, b) => a - b))
        expect(riceOf(column).length).toBeLessThanOrEqual((300 * 14) / 8)
      }),
    )
  })

  it('reject invalid bytes with CODEC_INVALID and no other error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        try {
          const column = riceColumn(bytes)
          expect(column.every((value, i) => i === 0 || value > (column[i - 1] ?? 0))).toBe(true)
        } catch (error) {
          expect(isContractError(error, 'CODEC_INVALID'), String(error)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
