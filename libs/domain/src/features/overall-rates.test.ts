import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Action } from '../engagement.ts'
import { asId, type CreatorId, type TopicId } from '../ids.ts'
import type { Pin } from '../pin.ts'
import { foldPin, newPinState, type PinState } from '../pin-state.ts'
import { anEngagement, readFirst } from '../testing.ts'
import {
  createOverallCounts,
  noOverallRates,
  overallRateFeatures,
  type OverallRates,
  type PinContribution,
} from './overall-rates.ts'
import { PinReading } from './pin-reading.ts'
import { totalsOf } from './pin-totals.ts'

const aMeta = (topics: readonly string[], creatorId: string | null) => ({
  topics: topics.map((topic) => asId<TopicId>(topic)),
  creatorId: creatorId === null ? null : asId<CreatorId>(creatorId),
})
type Meta = Pick<Pin, 'topics' | 'creatorId'>

/** A pin's state after so many actions at a position. */
function aState(counts: Partial<Record<Action, number>>, position: number | null = null): PinState {
  const acts = (Object.entries(counts) as [Action, number][]).flatMap(([action, count]) =>
    Array.from({ length: count }, () => anEngagement({ action, shown: { feedId: null, position, surface: 'home' } })),
  )
  return foldPin(newPinState, acts)
}

const contribution = (meta: Meta, state: PinState): PinContribution => ({ ...meta, totals: totalsOf(state) })

function read(overall: OverallRates, pinMeta: Meta | null, state: PinState | null = null): Record<string, number> {
  const pins = [state === null ? null : new PinReading(() => state)]
  return readFirst(overallRateFeatures, { overall, pinMetas: [pinMeta], pins })
}

describe('rates of all users', () => {
  it('are smoothed: a topic towards all pins, a creator towards the topic, a pin towards the creator', () => {
    const counts = createOverallCounts()
    const tea = aMeta(['tea'], 'ann')
    const state = aState({ impression: 60, save: 12 })
    counts.replace(null, contribution(tea, state))
    counts.replace(null, contribution(aMeta(['jam'], null), aState({ impression: 140 })))
    const all = (12 + 100 * 0.01) / (200 + 100)
    const topic = (12 + 50 * all) / (60 + 50)
    const creator = (12 + 30 * topic) / (60 + 30)
    const pin = (12 + 20 * creator) / (60 + 20)
    const numbers = read(counts.rates(), tea, state)
    expect(numbers['overall_save_rate']).toBeCloseTo(all)
    expect(numbers['topic_overall_save_rate']).toBeCloseTo(topic)
    expect(numbers['creator_overall_save_rate']).toBeCloseTo(creator)
    expect(numbers['pin_smoothed_save_rate']).toBeCloseTo(pin)
    expect(numbers['pin_smoothed_impressions']).toBeCloseTo(60)
    expect(numbers['pin_smoothed_save_uncertainty']).toBeCloseTo(Math.sqrt((pin * (1 - pin)) / 81))
    // A new pin of the creator starts at the creator's rate, one that nobody knows at the rate of all.
    expect(read(counts.rates(), tea)['pin_smoothed_save_rate']).toBeCloseTo(creator)
    expect(read(counts.rates(), null)['pin_smoothed_save_rate']).toBeCloseTo(all)
  })

  it('have no position bias: pins that perform as their positions do have the same rates', () => {
    const counts = createOverallCounts()
    const [first, last] = [aMeta(['first'], 'a'), aMeta(['last'], 'b')]
    const states = [
      aState({ impression: 20_000, save: 4_000 }, 0),
      aState({ impression: 20_000, save: 400 }, 30),
    ] as const
    counts.replace(null, contribution(first, states[0]))
    counts.replace(null, contribution(last, states[1]))
    const [atFirst, atLast] = [read(counts.rates(), first, states[0]), read(counts.rates(), last, states[1])]
    const ratio = atFirst['pin_smoothed_save_rate']! / atLast['pin_smoothed_save_rate']!
    expect(ratio).toBeGreaterThan(0.9)
    expect(ratio).toBeLessThan(1.1)
    expect(atFirst['pin_smoothed_impressions']).toBeGreaterThan(5 * atLast['pin_smoothed_impressions']!)
  })

  it('leave out what users did with a pin where it was not shown, if impressions are reported', () => {
    const counts = createOverallCounts()
    const tea = aMeta(['tea'], 'ann')
    const shown = aState({ impression: 100, save: 2 }, 0)
    const found = foldPin(
      shown,
      Array.from({ length: 400 }, () => anEngagement({ action: 'save' })),
    )
    counts.replace(null, contribution(tea, shown))
    const before = read(counts.rates(), tea, shown)
    counts.replace(contribution(tea, shown), contribution(tea, found))
    expect(read(counts.rates(), tea, found)).toEqual(before)
    // A pin that nobody was shown has the rates of its creator.
    const unseen = read(counts.rates(), tea, aState({ save: 30 }))
    expect(unseen['pin_smoothed_save_rate']).toBe(unseen['creator_overall_save_rate'])
  })

  it('count an action without an impression as one of both if nobody reports impressions', () => {
    const counts = createOverallCounts()
    counts.replace(null, contribution(aMeta(['tea'], null), aState({ click: 400 })))
    const numbers = read(counts.rates(), aMeta(['tea'], null))
    expect(numbers['topic_overall_impressions']).toBe(400)
    expect(numbers['topic_overall_click_rate']).toBeLessThanOrEqual(1)
    expect(numbers['topic_overall_click_rate']).toBeGreaterThan(0.9)
  })

  it('law: without evidence all pins have the same numbers', () => {
    const pins = [null, aMeta([], null), aMeta(['tea'], 'ann'), aMeta(['tea', 'jam'], null)]
    for (const pin of pins) expect(read(noOverallRates, pin)).toEqual(read(noOverallRates, null))
  })

  it('law: replacements have the same result in every order, and what was taken back leaves nothing', () => {
    const pins = fc.array(
      fc.record({
        topics: fc.subarray(['tea', 'jam', 'oat']),
        creatorId: fc.constantFrom('ann', 'bob', null),
        impression: fc.nat(30),
        save: fc.nat(5),
        hide: fc.nat(3),
        position: fc.constantFrom(0, 3, 50, null),
      }),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(pins, fc.nat(), (list, shift) => {
        const all = list.map(({ topics, creatorId, position, ...counts }) =>
          contribution(aMeta(topics, creatorId), aState(counts, position)),
        )
        const turned = [...all.slice(shift % all.length), ...all.slice(0, shift % all.length)]
        const [one, other] = [createOverallCounts(), createOverallCounts()]
        for (const each of all) one.replace(null, each)
        for (const each of turned)
          other.replace(null, contribution(aMeta(each.topics, each.creatorId), aState({ save: 1 })))
        for (const each of turned)
          other.replace(contribution(aMeta(each.topics, each.creatorId), aState({ save: 1 })), each)
        for (const each of all) expect(read(other.rates(), each)).toEqual(read(one.rates(), each))
        for (const each of turned) one.replace(each, null)
        expect(one.stats()).toEqual({ topics: 0, creators: 0 })
        expect(read(one.rates(), all[0]!)).toEqual(read(noOverallRates, all[0]!))
      }),
    )
  })
})
