import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPictureCatalogue, type PictureCatalogue } from './catalogue.ts'
import { embeddingSteps, embeddingWidth } from './embedding.ts'
import { wholePicture } from './render.ts'
import { shippedEmbeddings } from './shipped.ts'
import { namedUsers } from './users.ts'

const nowMs = Date.parse('2026-03-01T00:00:00.000Z')
let catalogue: PictureCatalogue

beforeAll(async () => {
  catalogue = await openPictureCatalogue()
}, 180_000)
afterAll(() => catalogue.close())

describe('the catalogue of pictures', () => {
  test('has thousands of pins in four styles, each with its own id, a topic and a picture', () => {
    const pins = catalogue.pins(nowMs)
    expect(pins.length).toBeGreaterThan(6_500)
    expect(new Set(pins.map(({ pinId }) => pinId)).size).toBe(pins.length)
    expect(new Set(pins.map(({ creatorId }) => creatorId))).toEqual(
      new Set(catalogue.attributions.map(({ style }) => style)),
    )
    expect(pins.filter(({ pinId }) => !/^[a-z]+(?:-[a-z0-9]+)+$/.test(pinId))).toEqual([])
    expect(pins.filter(({ pinId }) => catalogue.svg(pinId)?.startsWith('<svg ') !== true)).toEqual([])
    expect(catalogue.svg('noto-nothing')).toBeNull()
  })

  test('has pins of the last 30 days, whatever the time', () => {
    const times = catalogue.pins(nowMs).map((pin) => Date.parse(String(pin['createdAt'])))
    expect(Math.max(...times)).toBeLessThan(nowMs)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(nowMs - 30 * 86_400_000)
  })

  test('leaves out skin tones, flags and men and women of something', () => {
    const ids = catalogue.pinIds.filter((id) => !id.startsWith('game-'))
    expect(
      ids.filter((id) => /skin-tone|pirate-flag|^\w+-flag-[a-hj-z]|-woman-(?!dancing)\w+ing$|thirty$|keycap/.test(id)),
    ).toEqual([])
    expect(ids).toContain('noto-person-running')
    expect(ids).not.toContain('noto-woman-running')
  })

  test('has the topics and styles that the simulated users like', () => {
    const pins = catalogue.pins(nowMs)
    const known = new Set(pins.flatMap((pin) => [pin.topics[0], pin.creatorId]))
    expect(namedUsers.flatMap(({ likes, styles }) => [...likes, ...styles]).filter((it) => !known.has(it))).toEqual([])
    expect(namedUsers.filter(({ locale }) => !catalogue.locales.includes(locale))).toEqual([])
  })
})

describe('embeddings', () => {
  test('are the same numbers for the whole picture as a box and each time', async () => {
    for (const pin of catalogue.pins(nowMs).filter((_, at) => at % 997 === 0)) {
      const whole = await catalogue.embed(pin.pinId, wholePicture)
      // Another processor may draw an edge a little otherwise: a step or two.
      const shipped = pin['visualEmbedding'] as readonly number[]
      expect(Math.max(...whole.map((value, at) => Math.abs(value - shipped[at]!)))).toBeLessThan(2.5 / embeddingSteps)
      expect(whole).toHaveLength(embeddingWidth)
      expect(Math.hypot(...whole)).toBeCloseTo(1, 1)
    }
  })

  test('ship with the sources and packages that they were made from: else run `npm run -w @freshet/pictures embed`', () => {
    expect(shippedEmbeddings(catalogue.pinIds.length)).toHaveLength(catalogue.pinIds.length * embeddingWidth)
    expect(shippedEmbeddings(catalogue.pinIds.length - 1)).toBeNull()
  })

  test('of a part differ from the whole, and of a margin are all 0', async () => {
    const whole = await catalogue.embed('noto-cat-face', wholePicture)
    const ear = await catalogue.embed('noto-cat-face', { x: 0, y: 0, width: 0.4, height: 0.4 })
    const likeness = whole.reduce((sum, value, at) => sum + value * ear[at]!, 0)
    expect(likeness).toBeLessThan(0.9)
    expect(Math.hypot(...ear)).toBeCloseTo(1, 1)
    const corner = await catalogue.embed('noto-red-heart', { x: 0, y: 0.96, width: 0.02, height: 0.02 })
    expect(Math.hypot(...corner)).toBe(0)
  })

  test.each([
    { x: -0.1, y: 0, width: 0.5, height: 0.5 },
    { x: 0, y: 0, width: 0, height: 1 },
    { x: 0.6, y: 0, width: 0.5, height: 1 },
    { x: Number.NaN, y: 0, width: 0.5, height: 1 },
  ])('are refused for a box that is not within the picture: %o', async (box) => {
    await expect(catalogue.embed('noto-cat-face', box)).rejects.toThrow(RangeError)
  })
})

describe('words', () => {
  test.each([
    ['cat face', 'en', 'cat-face'],
    ['CAT', 'en', 'cat'],
    ['Katzengesicht', 'de', 'cat-face'],
    ['elephant', 'fr', 'elephant'],
    ['éléphant', 'fr', 'elephant'],
    ['猫', 'ja', 'cat'],
    ['แมว', 'th', 'cat'],
    ['बिल्ली', 'hi', 'cat'],
    ['고양이', 'ko', 'cat'],
    ['大象', 'zh-TW', 'elephant'],
    ['elefante', 'es-AR', 'elephant'],
  ])('finds %s in %s', (words, locale, thing) => {
    expect(catalogue.search(words, locale, 3)).toEqual(
      ['fluent', 'noto', 'openmoji'].map((style) => `${style}-${thing}`),
    )
  })

  test('finds the beginning of a word, tags and topics, best first', () => {
    expect(catalogue.search('eleph', 'en', 1)).toEqual(['fluent-elephant'])
    expect(catalogue.search('kitten', 'en', 20)).toContain('noto-cat-face')
    expect(catalogue.search('red heart', 'en', 1)).toEqual(['fluent-red-heart'])
    expect(catalogue.search('sword', 'en', 50)).toContain('game-rune-sword')
    expect(catalogue.search('', 'en', 5)).toEqual([])
    expect(catalogue.search('xyzzy', 'en', 5)).toEqual([])
    expect(catalogue.search('cat', 'en', 0)).toEqual([])
  })

  test('names pictures and topics in the locale, and in English where there is no name', () => {
    expect(catalogue.title('noto-cat-face', 'de')).toBe('Katzengesicht')
    expect(catalogue.title('noto-cat-face', 'ar')).toBe(catalogue.title('noto-cat-face', 'en'))
    expect(catalogue.title('game-anvil', 'de')).toBe('Anvil')
    expect(catalogue.title('noto-nothing', 'de')).toBeNull()
    expect(catalogue.topicName('animal-mammal', 'de')).toBe('Säugetiere')
    expect(catalogue.locales).toHaveLength(28)
  })
})
