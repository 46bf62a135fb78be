import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEntries } from './entries.ts'

describe('entries', () => {
  it('are those of a map, after any sets and deletions', () => {
    const change = fc.record({ pinId: fc.nat(30).map((n) => `p${n}`), value: fc.option(fc.nat()) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const [entries, map] = [createEntries<number>(), new Map<string, number>()]
        for (const { pinId, value } of changes) {
          if (value === null) {
            entries.delete(pinId)
            map.delete(pinId)
          } else {
            entries.set(pinId, value)
            map.set(pinId, value)
          }
          expect(entries.size).toBe(map.size)
        }
        for (let n = 0; n <= 31; n++) expect(entries.get(`p${n}`)).toBe(map.get(`p${n}`))
      }),
    )
  })
})
