import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { packIds } from './packed-ids.ts'
import { unpackIds } from './unpacked-ids.ts'

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...Array.from('0123456789abcdef')), { minLength: length, maxLength: length })
    .map((all) => all.join(''))
const nanoid = fc
  .array(fc.constantFrom(...Array.from('abcXYZ019_-')), { minLength: 1, maxLength: 30 })
  .map((all) => all.join(''))
const id = fc.oneof(
  fc.uuid(),
  fc.uuid({ version: 4 }),
  fc.uuid({ version: 4 }).map((uuid) => `b:${uuid}`),
  fc.uuid().map((uuid) => uuid.toUpperCase()),
  fc.uuid().map((uuid) => `user_${uuid}`),
  hex(16),
  hex(17),
  hex(40).map((digits) => `sha:${digits}`),
  fc.nat().map((number) => `pin-${number}`),
  fc.nat().map((number) => `p-${String(number).padStart(10, '0')}`),
  fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
  nanoid,
  fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.constantFrom('0', '00', 'a0', '-', 'ü7', 'x'.repeat(128), `${'x'.repeat(100)}12345`, '9'.repeat(128)),
)

describe('packed ids', () => {
  it('decode to the encoded ids in their order, and encode to the same bytes again', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 300 }), (ids) => {
        const bytes = packIds(ids)
        expect(unpackIds(bytes)).toEqual(ids)
        expect(packIds(unpackIds(bytes))).toEqual(bytes)
      }),
    )
  })

  it('can have more prefixes than there are templates', () => {
    const ids = Array.from(
      { length: 500 },
      (_, i) => `${'abcdefghij'[i % 10]}${String.fromCharCode(97 + (i % 26))}${i}x-${i * 1000}`,
    )
    expect(unpackIds(packIds(ids))).toEqual(ids)
  })

  it('take few bytes', () => {
    const bytesEach = (make: (i: number) => string) =>
      packIds(Array.from({ length: 200 }, (_, i) => make(i))).length / 200
    expect(bytesEach((i) => `p-${String(i * 7919).padStart(10, '0')}`)).toBeLessThan(3.2)
    expect(bytesEach((i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`)).toBeLessThan(15.35)
    expect(bytesEach((i) => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`)).toBeLessThan(16.1)
    expect(bytesEach((i) => `V1StGXR8_Z5jdHi6B-m${String.fromCharCode(97 + (i % 26))}Q`)).toBeLessThan(16.2)
  })

  it('take at most one more byte each when they are out of order', () => {
    const ids = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? `pin-${1000 + i}` : `board-${1000 + i}`))
    expect(packIds(ids).length).toBeLessThan(200 * 3 + 40)
  })

  it('of columns without runs are still read', () => {
    expect(unpackIds(Buffer.from(withoutRuns, 'base64'))).toEqual([
      'p-0000000007',
      'p-0000000008',
      'e6bd47e7-6ad1-4f00-8abc-0123456789ab',
      'user_e6bd47e7-6ad1-7f00-8abc-0123456789ab',
      '00112233445566778899',
      'pin-5',
      'V1StGXR8_Z5jdHi6B-myT',
      'ü7!',
      'board_12',
      'p-0000000009',
    ])
  })

  it('that are damaged are read or refused with CODEC_INVALID, and never with another error', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 30 }), edits, (ids, changes) => {
        const bytes = packIds(ids)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        try {
          unpackIds(bytes)
        } catch (error) {
          expect(isContractError(error, 'CODEC_INVALID'), String(error)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})

const withoutRuns =
  'CAMKAnAtAQAAAQAFdXNlcl8EAAUwMDExMgQABHBpbi0FFQAAAAAEAAZib2FyZF8ABwAIAea9R+dq0U8AirwBI0VniasC5r1H52rRfwCKvAEjRWeJqwOTnNTAlIo1BAUFV1StGXR8/Z5jdHi6B+myTAYEw7w3IQcMAAk='
