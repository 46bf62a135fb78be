import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addHash, createHashBits, mayContain } from './hash-bits.ts'

const hash = fc.nat(2 ** 32 - 1)

test('a law: a hash that was added may be contained, and so may each number with the same lower 16 bits', () => {
  fc.assert(
    fc.property(fc.array(hash), hash, (hashes, other) => {
      const bits = createHashBits(hashes.length)
      for (const each of hashes) addHash(bits, each)
      for (const each of hashes) expect([mayContain(bits, each), mayContain(bits, each & 0xffff)]).toEqual([true, true])
      if (!hashes.some((each) => (each & 0xff) === (other & 0xff))) expect(mayContain(bits, other)).toBe(false)
    }),
  )
})
