import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Degradation, type GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { aCreator, aWhole, type Act, type Whole } from './whole.fixture.ts'

let whole: Whole | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

const idsOf = ({ items }: GetFeedResponse): string[] => items.map(({ pinId }) => pinId)
const manyPins = (count: number) => Array.from({ length: count }, (_, n) => [`pin-${n}`, {}] as const)

describe('A7 · the feed runs dry', () => {
  it('3,000 pins, a new user who pages: every pin once, then the end', async () => {
    whole = await aWhole()
    await whole.pins(manyPins(3_000))
    const seen = new Set<string>()
    let pageToken = ''
    let pages = 0
    do {
      const answer = await whole.feed({ pageToken, pageSize: 25 })
      expect(answer.degradation).toBe(Degradation.NONE)
      expect(answer.items.map(({ position }) => position)).toEqual(answer.items.map((_, i) => seen.size + i))
      for (const pinId of idsOf(answer)) {
        expect(seen.has(pinId)).toBe(false)
        seen.add(pinId)
      }
      pageToken = answer.nextPageToken
      pages++
    } while (pageToken !== '')
    expect(seen.size).toBe(3_000)
    expect(pages).toBe(120)
  })

  it('3,000 pins, a new user who refreshes: every pin once, then those of the first page', async () => {
    whole = await aWhole()
    await whole.pins(manyPins(3_000))
    const first = await whole.feed({ pageSize: 50 })
    const seen = new Set(idsOf(first))
    for (let n = 1; n < 60; n++) {
      await whole.advance(10_000)
      const answer = await whole.feed({ pageSize: 50 })
      expect(answer.items).toHaveLength(50)
      for (const { pinId, seenAgain } of answer.items) {
        expect(seenAgain).toBe(false)
        seen.add(pinId)
      }
    }
    expect(seen.size).toBe(3_000)
    await whole.advance(10_000)
    const again = await whole.feed({ pageSize: 50 })
    expect(again).toMatchObject({ degradation: Degradation.EXHAUSTED, reasons: ['FEED_ALL_SEEN'] })
    expect(new Set(idsOf(again))).toEqual(new Set(idsOf(first)))
    expect(again.items.every(({ seenAgain, sources }) => seenAgain && sources.includes('seen-again'))).toBe(true)
  })

  it('a user who only views, days apart: every pin once, then the pins seen longest ago', async () => {
    whole = await aWhole()
    await whole.pins(manyPins(1_000))
    const seen: string[] = []
    for (let day = 0; seen.length < 1_000; day++) {
      await whole.advance(8 * 3_600_000)
      const answer = await whole.feed({ pageSize: 100 })
      expect(answer.items.length).toBeGreaterThan(0)
      const unseen = answer.items.filter(({ seenAgain }) => !seenAgain).map(({ pinId }) => pinId)
      expect(unseen.every((pinId) => !seen.includes(pinId))).toBe(true)
      seen.push(...unseen)
      await whole.act(...answer.items.map(({ pinId }) => ({ action: 'impression' as const, on: pinId })))
      if (answer.degradation === Degradation.EXHAUSTED) break
    }
    // A pin not seen is taken for a seen one with a small probability, see `Seen`.
    expect(seen.length).toBeGreaterThanOrEqual(995)
    await whole.advance(8 * 3_600_000)
    const again = await whole.feed({ pageSize: 100 })
    expect(again.items).toHaveLength(100)
    expect(again).toMatchObject({ degradation: Degradation.EXHAUSTED, reasons: ['FEED_ALL_SEEN'] })
  })

  const fates = fc.constantFrom('stays', 'stays', 'stays', 'stays', 'hidden', 'reported', 'deleted', 'comes later')
  const shapes = fc.array(
    fc.record({ creator: fc.constantFrom('ann', 'bob'), locale: fc.constantFrom('de-AT', 'en-US', null), fate: fates }),
    { minLength: 1, maxLength: 400, size: 'max' },
  )
  const steps = fc.array(fc.record({ pageSize: fc.integer({ min: 1, max: 60 }), next: fc.boolean() }), {
    minLength: 5,
    maxLength: 5,
  })

  it('law: every eligible pin comes exactly once before any pin comes again, for any catalogue', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, steps, async (catalogue, asks) => {
        const here = await aWhole()
        const named = catalogue.map((pin, n) => ({ ...pin, pinId: `pin-${n}` }))
        const put = (fate: (fate: string) => boolean) =>
          here.pins(
            named.flatMap(({ pinId, creator, locale, fate: its }) =>
              fate(its) ? [[pinId, { creatorId: aCreator(creator), locale }] as const] : [],
            ),
          )
        const idsOfFate = (fate: string) => named.filter((pin) => pin.fate === fate).map(({ pinId }) => pinId)
        await put((fate) => fate !== 'comes later')
        await here.pins([
          ['known', { locale: 'de-AT' }],
          ...idsOfFate('deleted').map((pinId) => [pinId, null] as const),
        ])
        await here.act(
          { action: 'block', on: { kind: 'creator', creatorId: aCreator('bob') } },
          ...idsOfFate('hidden').map((on) => ({ action: 'hide' as const, on })),
          ...idsOfFate('reported').map((on) => ({ action: 'report' as const, on })),
        )
        const eligible = named.filter(
          ({ creator, locale, fate }) =>
            ['stays', 'comes later'].includes(fate) && creator === 'ann' && locale !== 'en-US',
        )
        const wanted = new Set(['known', ...eligible.map(({ pinId }) => pinId)])
        const seen = new Set<string>()
        let pageToken = ''
        for (let n = 0; n < 1_000; n++) {
          await here.advance(1_000)
          if (n === 2) await put((fate) => fate === 'comes later')
          const { pageSize, next } = asks[n % asks.length]!
          const answer = await here.feed({ pageSize, pageToken: next ? pageToken : '', locale: 'de-AT' })
          for (const { pinId, seenAgain } of answer.items) {
            expect(wanted).toContain(pinId)
            expect(seen.has(pinId)).toBe(seenAgain)
            seen.add(pinId)
          }
          if (n > 2 && answer.items.some(({ seenAgain }) => seenAgain)) break
          // A page may end before new pins come.
          pageToken = answer.nextPageToken
        }
        expect([...seen].sort()).toEqual([...wanted].sort())
        await here.stop()
      }),
      { seed: 5, numRuns: 12 },
    )
  }, 120_000)

  it('related pins are found even if pins of blocked creators are far more popular', async () => {
    whole = await aWhole()
    await whole.pins(Array.from({ length: 900 }, (_, n) => [`blocked-${n}`, { creatorId: aCreator('bob') }] as const))
    await whole.pins(manyPins(40).map(([pinId]) => [pinId, { createdAtMs: 1 }] as const))
    await whole.act({ action: 'block', on: { kind: 'creator', creatorId: aCreator('bob') } })
    const { items } = await whole.related({ pinId: 'pin-0', userId: 'ada', pageSize: 100 })
    expect(new Set(items.map(({ pinId }) => pinId))).toEqual(
      new Set(manyPins(40).flatMap(([pinId]) => (pinId === 'pin-0' ? [] : [pinId]))),
    )
    expect(idsOf(await whole.feed({ pageSize: 100 }))).toHaveLength(40)
  })

  it('many creators blocked long ago, more than state keeps by id, do not fill the search', async () => {
    whole = await aWhole()
    const many = Array.from({ length: 1_400 }, (_, n) => n)
    await whole.pins(many.map((n) => [`blocked-${n}`, { creatorId: aCreator(`creator-${n}`) }] as const))
    await whole.pins(manyPins(40).map(([pinId]) => [pinId, { createdAtMs: 1 }] as const))
    await whole.act(
      ...many.map((n): Act => ({ action: 'block', on: { kind: 'creator', creatorId: aCreator(`creator-${n}`) } })),
    )
    const { items } = await whole.feed({ pageSize: 100 })
    expect(new Set(items.map(({ pinId }) => pinId))).toEqual(new Set(manyPins(40).map(([pinId]) => pinId)))
  })

  it('pins that the user acted on come again at the end, but not saved, dismissed or hidden ones', async () => {
    whole = await aWhole()
    await whole.pins(manyPins(5))
    await whole.act(
      { action: 'click', on: 'pin-0' },
      { action: 'save', on: 'pin-1', boardId: 'b' },
      { action: 'dismiss', on: 'pin-2' },
      { action: 'hide', on: 'pin-3' },
    )
    const { items } = await whole.feed()
    expect(items.map(({ pinId, seenAgain }) => [pinId, seenAgain])).toEqual([
      ['pin-4', false],
      ['pin-0', true],
    ])
  })
})
