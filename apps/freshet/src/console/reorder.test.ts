import { explanationToJson } from '@freshet/blender/json-answer'
import { ExplainFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aCreator, aTopic, aWhole, type Act, type Whole } from '../whole.fixture.ts'
import { explainedPage } from './explained-page.ts'
import { reorder, type RecordedPin, type Sliders } from './reorder.ts'

const asServed: Sliders = { weights: new Map(), diversity: 1, exploration: 1 }
const homeSpec = new URL('../../../../libs/ranking/specs/home.json', import.meta.url).pathname

let whole: Whole
/** Pages as they were served: of several users, first and next pages. */
const pages: { readonly pinIds: readonly string[]; readonly pins: readonly RecordedPin[] }[] = []

beforeAll(async () => {
  whole = await aWhole({
    ranking: { specFile: homeSpec },
  })
  const catalogue = Array.from({ length: 60 }, (_, n) => `pin-${n}`)
  await whole.pins(
    catalogue.map((pinId, n) => [
      pinId,
      { topics: [aTopic(`topic-${n % 5}`)], creatorId: aCreator(`creator-${n % 7}`) },
    ]),
  )
  const acts = Array.from({ length: 20 }, (_, user) =>
    catalogue.flatMap((pinId, n): Act[] =>
      (n * 7 + user * 3) % 11 < 2 ? [{ userId: `user-${user}`, action: 'save', on: pinId }] : [],
    ),
  )
  await whole.act(...acts.flat())
  for (let user = 0; user < 10; user++) {
    let pageToken = ''
    for (let page = 0; page < 2; page++) {
      const feed = await whole.feed({ userId: `user-${user}`, pageSize: 12, pageToken })
      const request = ExplainFeedRequest.fromPartial({ feedId: feed.feedId })
      const json: unknown = JSON.parse(
        JSON.stringify(explanationToJson(await whole.embedded.blender.explainFeed(request, { timeoutMs: 10_000 }))),
      )
      const { pins, problem } = explainedPage(json)
      expect(problem).toBe('')
      pages.push({ pinIds: feed.items.map(({ pinId }) => pinId), pins })
      pageToken = feed.nextPageToken
    }
  }
}, 120_000)
afterAll(() => whole.stop())

/** The value of a pin as its parts say, without the code under test. */
const valueOf = ({ utility, exploration, added }: RecordedPin): number =>
  utility + exploration + [...added.values()].reduce((sum, each) => sum + each, 0)

describe('real pages', () => {
  it('have diversity, spacing and parts of heads, so that the sliders have something to move', () => {
    const pins = pages.flatMap((page) => page.pins)
    expect(pins.length).toBeGreaterThan(150)
    expect(pins.some(({ added }) => (added.get('diversity') ?? 0) < 0)).toBe(true)
    expect(pins.some(({ added }) => (added.get('spacing') ?? 0) < 0)).toBe(true)
    expect(pins.some(({ parts }) => [...parts.values()].some((part) => part > 0))).toBe(true)
  })

  it('are in the order of their values', () => {
    for (const { pins } of pages)
      for (let at = 1; at < pins.length; at++)
        expect(valueOf(pins[at]!)).toBeLessThanOrEqual(valueOf(pins[at - 1]!) + 1e-5)
  })

  it('have heads whose parts make the utility', () => {
    for (const { pins } of pages)
      for (const { utility, parts } of pins)
        expect([...parts.values()].reduce((sum, part) => sum + part, 0)).toBeCloseTo(utility, 4)
  })

  it('stay exactly as they were served with equal settings', () => {
    for (const { pinIds, pins } of pages) {
      const heads = [...pins[0]!.parts.keys()]
      const ones: Sliders = { ...asServed, weights: new Map(heads.map((head) => [head, 1])) }
      for (const sliders of [asServed, ones]) {
        const items = reorder(pins, sliders)
        expect(items.map(({ pinId }) => pinId)).toEqual(pinIds)
        expect(items.every(({ from, to }) => from === to)).toBe(true)
      }
    }
  })

  it('keep their pins, and come in the order of their new values, whatever the sliders say', () => {
    const factor = fc.double({ min: 0, max: 3, noNaN: true })
    const page = fc.integer({ min: 0, max: pages.length - 1 })
    fc.assert(
      fc.property(page, factor, factor, factor, (at, save, diversity, exploration) => {
        const { pinIds, pins } = pages[at]!
        const items = reorder(pins, { weights: new Map([['save', save]]), diversity, exploration })
        expect(items.map(({ pinId }) => pinId).toSorted()).toEqual([...pinIds].toSorted())
        expect(items.map(({ to }) => to)).toEqual([...items.keys()])
        expect(items.every(({ pinId, from }) => pinIds[from] === pinId)).toBe(true)
        for (let i = 1; i < items.length; i++) expect(items[i]!.utility).toBeLessThanOrEqual(items[i - 1]!.utility)
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  it('come in the order of one head if it alone counts', () => {
    for (const { pins } of pages) {
      const others = [...pins[0]!.parts.keys()].filter((head) => head !== 'save')
      const items = reorder(pins, {
        weights: new Map([['save', 1e6], ...others.map((head): [string, number] => [head, 0])]),
        diversity: 0,
        exploration: 0,
      })
      const saves = items.map(({ from }) => pins[from]!.parts.get('save')!)
      for (let i = 1; i < saves.length; i++) expect(saves[i]!).toBeLessThanOrEqual(saves[i - 1]! + 1e-6)
    }
  })

  it('lose and gain what exploration added', () => {
    const held = (pin: RecordedPin): RecordedPin => ({ ...pin, utility: pin.utility + 5, exploration: -5 })
    const explored = pages[0]!.pins.map((pin, at) => (at === 11 ? held(pin) : pin))
    const placeOfLast = (exploration: number): number =>
      reorder(explored, { ...asServed, exploration }).find(({ from }) => from === 11)!.to
    expect([placeOfLast(1), placeOfLast(2)]).toEqual([11, 11])
    expect(placeOfLast(0)).toBe(0)
  })

  it('are ordered again within milliseconds', () => {
    const { pins } = pages[0]!
    const began = performance.now()
    for (let i = 0; i < 100; i++) reorder(pins, { ...asServed, diversity: i / 50 })
    expect((performance.now() - began) / 100).toBeLessThan(5)
  })
})
