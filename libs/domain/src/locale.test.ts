import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyLocale, createLocaleWords, noLocale } from './locale-words.ts'
import { parseLocale } from './locale.ts'

/** Which of the offered tags fit a reader. */
function fitting(reader: string, offered: readonly string[], maxLocales = 100): string[] {
  const words = createLocaleWords(maxLocales)
  const numbers = offered.map((tag) => words.take(tag))
  const mask = words.fitting(reader)
  return offered.filter((_, at) => mask === null || mask[numbers[at]!] === 1)
}

describe('A10 · locales', () => {
  const german = ['de-DE', 'en-US', 'en-GB', 'fr']

  it.each(['de-DE', 'de', 'de-CH', 'DE-de', 'de_DE', 'de-Latn-DE', 'de-DE-u-co-phonebk'])(
    '%s finds the German pins and no others',
    (reader) => {
      expect(fitting(reader, german)).toEqual(['de-DE'])
    },
  )

  it('a reader with a region gets pins of that region and pins of the language without a region', () => {
    expect(fitting('de-CH', ['de', 'de-AT', 'de-CH', 'de-DE', 'gsw-CH'])).toEqual(['de', 'de-CH'])
  })

  it('if no pin names the region, the language counts', () => {
    expect(fitting('de-CH', ['de', 'de-AT', 'de-DE', 'it-CH'])).toEqual(['de', 'de-AT', 'de-DE'])
  })

  it('scripts are not mixed if both have pins', () => {
    expect(fitting('zh-TW', ['zh-Hans-CN', 'zh-Hant-HK', 'zh-CN'])).toEqual(['zh-Hant-HK'])
    expect(fitting('zh-Hant', ['zh-Hans-CN'])).toEqual(['zh-Hans-CN'])
    expect(fitting('sr-Latn', ['sr', 'sr-Latn-RS'])).toEqual(['sr-Latn-RS'])
  })

  it('a language without pins is reported as unknown, and no other language fits', () => {
    const words = createLocaleWords(10)
    words.take('de-DE')
    expect(words.isKnown('fr-CA')).toBe(false)
    expect([...words.fitting('fr-CA')!]).toEqual([1, 0, 0])
    expect(words.isKnown('de-AT')).toBe(true)
  })

  it('pins without a locale, undetermined or of several languages fit everybody; one that is not BCP 47 fits nobody', () => {
    const words = createLocaleWords(10)
    expect([null, 'und', 'mul', 'zxx'].map((tag) => words.take(tag))).toEqual(Array(4).fill(anyLocale))
    expect(words.take('en_US.UTF-8')).toBe(noLocale)
    expect([...words.fitting('en')!]).toEqual([1, 0])
  })

  it('a text that is not BCP 47 is not a locale', () => {
    for (const text of ['', 'q', 'de--DE', 'en_US.UTF-8', 'deutsch!', `de-${'a'.repeat(80)}`])
      expect(parseLocale(text), text).toBeNull()
  })

  it('a locale without room fits nobody, and a locale without pins frees its room', () => {
    const words = createLocaleWords(1)
    const first = words.take('de')
    expect(words.take('fr')).toBe(noLocale)
    expect(words.refused).toBe(1)
    words.drop(first)
    expect(words.take('fr')).toBe(first)
    expect(words.size).toBe(1)
    expect(words.isKnown('de')).toBe(false)
    expect(words.isKnown('fr')).toBe(true)
  })

  it('case and separators do not matter; an exact match always fits; other languages never do', () => {
    const tags = ['de', 'de-DE', 'de-CH', 'en', 'en-GB', 'zh-Hant', 'zh-CN', 'pt-BR', 'sr-Latn', 'no', 'nb-NO']
    fc.assert(
      fc.property(fc.subarray(tags), fc.constantFrom(...tags), fc.boolean(), (offered, reader, upper) => {
        const found = fitting(reader, offered)
        const spelt = reader.replaceAll('-', '_')
        expect(fitting(upper ? spelt.toUpperCase() : spelt.toLowerCase(), offered)).toEqual(found)
        if (offered.includes(reader)) expect(found).toContain(reader)
        const language = parseLocale(reader)!.language
        expect(found.every((tag) => parseLocale(tag)!.language === language)).toBe(true)
        // A reader of a language with pins always gets some.
        expect(found.length > 0).toBe(offered.some((tag) => parseLocale(tag)!.language === language))
      }),
    )
  })

  it('pins come and go in any order, and only numbers of unused locales are reused', () => {
    const tags = ['de', 'en', 'fr', 'it', 'de-DE', 'en-GB']
    const step = fc.record({ tag: fc.constantFrom(...tags), drop: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const words = createLocaleWords(3)
        const held: { tag: string; number: number }[] = []
        for (const { tag, drop } of steps) {
          const at = held.findIndex((each) => each.tag === tag)
          if (drop && at >= 0) words.drop(held.splice(at, 1)[0]!.number)
          else if (!drop) {
            const number = words.take(tag)
            if (number !== noLocale) held.push({ tag, number })
          }
          const inUse = new Set(held.map((each) => each.tag))
          expect(words.size).toBe(inUse.size)
          for (const each of held) expect(words.tags()[each.number]).toBe(each.tag)
          expect(words.tags().length).toBeLessThanOrEqual(2 + 3)
        }
      }),
    )
  })
})
