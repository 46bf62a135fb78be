import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asId, type CreatorId, type PinId, type TopicId } from '../ids.ts'
import type { Pin } from '../pin.ts'
import { foldPin, newPinState } from '../pin-state.ts'
import { aPin, anEngagement, engagements, noonMs } from '../testing.ts'
import { foldUser, newUserState } from '../user-state.ts'
import { features, planFeatures } from './catalogue.ts'
import type { FeatureContext } from './feature.ts'
import { readInterests } from './interests.ts'
import { createPositionRates, defaultPositionRates, expectedActions, memboost } from './memboost.ts'

const nothing: FeatureContext = {
  pinId: 'p',
  user: null,
  interests: null,
  pin: null,
  pinMeta: null,
  retrievalScore: null,
  positionRates: null,
  atMs: noonMs,
}

function aPinMeta(given: Partial<Pin> = {}): Pin {
  return {
    pinId: asId<PinId>('p'),
    title: '',
    description: '',
    topics: [asId<TopicId>('t1')],
    creatorId: asId<CreatorId>('c1'),
    createdAtMs: noonMs - 86_400_000,
    locale: null,
    imageUrl: null,
    visualEmbedding: null,
    ...given,
  }
}

const plan = planFeatures()

function valuesOf(context: FeatureContext): Record<string, number> {
  const out = new Float32Array(plan.width)
  plan.read(context, out, 0)
  return Object.fromEntries(plan.names.map((name, i) => [name, out[i] ?? NaN]))
}

describe('feature catalogue', () => {
  it('has at least twenty features, each with a name, unit and width of its own', () => {
    expect(features.length).toBeGreaterThanOrEqual(20)
    expect(new Set(features.map(({ name }) => name)).size).toBe(features.length)
    for (const { name, unit, width } of features) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
      expect(unit).not.toBe('')
      expect(width).toBeGreaterThan(0)
    }
  })

  it('reads the missing value where a need is not met', () => {
    const out = new Float32Array(plan.width)
    plan.read(nothing, out, 0)
    let at = 0
    for (const feature of plan.features) {
      if (feature.needs.length > 0) expect(out[at], feature.name).toBe(Math.fround(feature.missing))
      at += feature.width
    }
  })

  it('never reads anything that is not finite, and writes nothing beside its place', () => {
    fc.assert(
      fc.property(engagements(), fc.integer({ min: -86_400_000, max: 365 * 86_400_000 }), (list, afterMs) => {
        const user = foldUser(
          newUserState,
          list.map((engagement) => ({ engagement, horizonMs: 0 })),
        )
        const atMs = noonMs + afterMs
        const pinMeta = aPinMeta()
        const context: FeatureContext = {
          pinId: 'p1',
          user,
          interests: readInterests(user, () => pinMeta, atMs),
          pin: foldPin(newPinState, list),
          pinMeta,
          retrievalScore: 1.5,
          positionRates: defaultPositionRates,
          atMs,
        }
        const out = new Float32Array(plan.width + 2).fill(7)
        plan.read(context, out, 1)
        expect([out[0], out.at(-1)]).toEqual([7, 7])
        expect(out.every(Number.isFinite)).toBe(true)
      }),
    )
  })

  it('lays out the features asked for in their order and names what does not exist', () => {
    expect(planFeatures(['pin_age', 'retrieval_score']).names).toEqual(['pin_age', 'retrieval_score'])
    expect(() => planFeatures(['pin_agee'])).toThrow(/there is no feature "pin_agee"/)
  })

  it('reads what a user did as numbers about pins alike', () => {
    const catalogue = new Map([
      ['liked', aPinMeta()],
      ['hidden', aPinMeta({ topics: [asId<TopicId>('t2')], creatorId: asId<CreatorId>('c2') })],
    ])
    const user = foldUser(
      newUserState,
      [
        anEngagement({ action: 'save', subject: aPin('liked'), occurredAtMs: noonMs - 3_600_000 }),
        anEngagement({ action: 'hide', subject: aPin('hidden') }),
        anEngagement({ action: 'follow', subject: { kind: 'topic', topicId: asId<TopicId>('t3') } }),
      ].map((engagement) => ({ engagement, horizonMs: 0 })),
    )
    const interests = readInterests(user, (pinId) => catalogue.get(pinId), noonMs)
    const about = (pinMeta: Pin) => valuesOf({ ...nothing, user, interests, pinMeta, pinId: pinMeta.pinId })
    const alike = about(aPinMeta({ pinId: asId<PinId>('new') }))
    expect(alike['topic_affinity']).toBeCloseTo(3, 1)
    expect(alike['creator_affinity']).toBeCloseTo(3, 1)
    expect(alike['creator_recency']).toBeCloseTo(0.5)
    const disliked = about(aPinMeta({ topics: [asId<TopicId>('t2')], creatorId: asId<CreatorId>('c2') }))
    expect(disliked['topic_affinity']).toBeLessThan(0)
    expect(disliked['topic_recency']).toBe(0)
    const followed = about(aPinMeta({ topics: [asId<TopicId>('t3')], creatorId: null }))
    expect(followed['follows_topic']).toBe(1)
    expect(followed['topic_affinity']).toBe(3)
    expect(about(aPinMeta({ pinId: asId<PinId>('liked') }))).toMatchObject({ seen_before: 1, pin_acted_recency: 0.5 })
  })
})

describe('memboost', () => {
  const shown = (action: 'impression' | 'click', position: number) =>
    anEngagement({ action, shown: { feedId: null, position, surface: 'home' } })
  const times = (count: number, engagement: ReturnType<typeof shown>) => Array.from({ length: count }, () => engagement)

  it('is free of position bias: as expected is 0, wherever it was shown', () => {
    for (const position of [0, 10, 60]) {
      const pin = foldPin(newPinState, times(2000, shown('impression', position)))
      const expected = Math.round(expectedActions(pin, defaultPositionRates, noonMs))
      const acted = foldPin(pin, times(expected, shown('click', position)))
      expect(Math.abs(memboost(acted, defaultPositionRates, noonMs))).toBeLessThan(0.02)
    }
  })

  it('rises with every action and falls with every impression', () => {
    const before = foldPin(newPinState, times(100, shown('impression', 0)))
    const at = (pin: typeof before) => memboost(pin, defaultPositionRates, noonMs)
    expect(at(foldPin(before, [shown('click', 0)]))).toBeGreaterThan(at(before))
    expect(at(foldPin(before, [shown('impression', 0)]))).toBeLessThan(at(before))
  })

  it('learns rates by position from all pins, and unlearns what is replaced', () => {
    const view = createPositionRates()
    expect(view.rates()).toEqual(defaultPositionRates)
    const popular = foldPin(newPinState, [...times(9000, shown('impression', 0)), ...times(4500, shown('click', 0))])
    view.replace(null, popular)
    expect(view.rates()[0]).toBeCloseTo((4500 + 100) / 10_000, 5)
    expect(view.rates()[3]).toBe(defaultPositionRates[3])
    view.replace(popular, null)
    expect(view.rates()).toEqual(defaultPositionRates)
  })
})
