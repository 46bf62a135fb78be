import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hash32 } from './hash.ts'
import { normalWord, wordHashesOf } from './text-words.ts'

const has = (text: string, word: string, max = 64): boolean =>
  wordHashesOf([text], max).includes(hash32(normalWord(word)))

describe('words of a text', () => {
  it.each([
    ['Sourdough OVERNIGHT', 'overnight', true],
    ['Sourdough, overnight.', 'Overnight', true],
    ['(sourdough)', 'sourdough', true],
    ['sourdoughs', 'sourdough', false],
    ['Cafe\u0301 Paris', 'café', true],
    ['Ｃａｔｓ and dogs', 'cats', true],
    ['cats and dogs', '\t“ＣＡＴＳ” ', true],
    ['an e-mail', 'e-mail', true],
    ['an e-mail', 'mail', true],
    ['written in C++', 'c++', true],
    ['written in C++', 'C', true],
    ['#art', 'art', true],
    ['so 🔥 hot', '🔥', true],
    ['… !!', '!!', true],
  ])('of %j: %j is one of them: %j', (text, word, expected) => {
    expect(has(text, word)).toBe(expected)
  })

  it('are distinct, ascending, and at most as many as wanted, the first ones', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.nat(20), (texts, max) => {
        const hashes = wordHashesOf(texts, max)
        expect(hashes.length).toBeLessThanOrEqual(max)
        hashes.forEach((hash, at) => at > 0 && expect(hash).toBeGreaterThan(hashes[at - 1]!))
      }),
    )
    expect([has('one two three', 'two', 2), has('one two three', 'three', 2)]).toEqual([true, false])
  })

  it('include every word between white space, as a blocked word is compared', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 })), (words) => {
        const text = words.join(' ')
        for (const word of text.split(/\s+/u)) {
          // Few characters, such as `¨`, become a space and another one; no word may have a space.
          if (word !== '' && !/\s/u.test(word.normalize('NFKC'))) expect(has(text, word, 1_000)).toBe(true)
        }
      }),
    )
  })

  it('are kept in one form: to make it again changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (word) => {
        expect(normalWord(normalWord(word))).toBe(normalWord(word))
      }),
    )
    expect(['Cats', 'cats ', 'CATS', ' «ＣＡＴＳ»', '#cats'].map(normalWord)).toEqual(Array(5).fill('cats'))
  })
})
