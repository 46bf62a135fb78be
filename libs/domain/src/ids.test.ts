import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asId, countCharacters, idProblem, nameProblem, type TopicId } from './ids.ts'

const family = '👩\u200d👩\u200d👧'
const england = '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'

describe('A17 · ids and names', () => {
  it.each(['u1', 'a/b:c.d-e_f', 'Zoë', '漢字', '😀'.repeat(128), family, england, 'नमस्ते', 'می\u200cخواهم', 'e\u0301'])(
    '%s is both',
    (value) => {
      expect([idProblem(value), nameProblem(value)]).toEqual([null, null])
    },
  )

  it.each(['Home Decor', "Kid's room & bath, 2nd floor", '住 まい', `${family} recipes`, 'a  b'])(
    '%s is a name, not an id',
    (value) => {
      expect(nameProblem(value)).toBeNull()
      expect(idProblem(value)).toBe('contains a space; give 1–128 characters without spaces')
      expect(asId<TopicId>(value)).toBe(value)
    },
  )

  it.each([
    ['', 'is empty'],
    [' a', 'space'],
    ['a ', 'space'],
    [' ', 'space'],
    ['a\u200d', 'joiner'],
    ['x'.repeat(129), 'has 129 characters; at most 128'],
    ['😀'.repeat(129), 'has 129 characters; at most 128'],
    ['a\tb', 'control character U+0009'],
    ['a\nb', 'control character U+000A'],
    ['a\u0000', 'control character U+0000'],
    ['a\u007f', 'control character U+007F'],
    ['a\u00a0b', 'white space U+00A0'],
    ['a\u3000b', 'white space U+3000'],
    ['a\u2028b', 'white space U+2028'],
    ['a\u200bb', 'invisible character U+200B'],
    ['a\ufeffb', 'invisible character U+FEFF'],
    ['a\u202eb', 'invisible character U+202E'],
    ['a\ue000b', 'invisible character U+E000'],
    ['a\uffff', 'invisible character U+FFFF'],
    ['a\ud800', 'surrogate'],
  ])('%j is neither, and the problem is reported', (value, why) => {
    expect(nameProblem(value)).toContain(why)
    expect(idProblem(value)).toContain(why)
    expect(() => asId(value)).toThrow(RangeError)
  })

  it('every id is a name, and a name without spaces is an id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6 }), (value) => {
        if (idProblem(value) === null) expect(nameProblem(value)).toBeNull()
        if (nameProblem(value) === null) expect(idProblem(value) === null).toBe(!value.includes(' '))
      }),
    )
  })

  it('counts characters as people do by code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(countCharacters(text)).toBe(Array.from(text).length)
      }),
    )
    expect(countCharacters('\ud800\ud800\udc00\udc00')).toBe(3)
  })
})
