import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clearColumn } from './clear-column.ts'

const status = '/proc/self/status'

function anonymousBytes(): number {
  return 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(status, 'utf8'))?.[1])
}

describe('a column that is cleared', () => {
  it('holds zeros, and its neighbours stay', () => {
    fc.assert(
      fc.property(fc.uint8Array({ min: 1 }), fc.nat(40), fc.nat(40), (bytes, from, length) => {
        const before = [...bytes]
        const column = bytes.subarray(from, from + length)
        clearColumn(column)
        expect([...bytes]).toEqual(before.map((value, at) => (at >= from && at < from + length ? 0 : value)))
      }),
    )
    const numbers = Float64Array.of(1, NaN, -0)
    clearColumn(numbers)
    expect(numbers).toEqual(new Float64Array(3))
  })

  it.skipIf(!existsSync(status))('takes no memory for pages that were never written', () => {
    const column = new Uint8Array(256 << 20)
    const before = anonymousBytes()
    clearColumn(column)
    expect(anonymousBytes() - before).toBeLessThan(column.length / 4)
  })
})
