import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Action } from '../engagement.ts'
import { hash32 } from '../hash.ts'
import { asId, type CreatorId, type TopicId } from '../ids.ts'
import { anEngagement, aPin, noonMs, readFirst } from '../testing.ts'
import { foldUser, newUserState } from '../user-state.ts'
import { ratePriors } from './rates.ts'
import { userRateFeatures, UserRates } from './user-rates.ts'

const dayMs = 86_400_000

/** The pins `tea-0`, `tea-1`, … are of the topic `tea` and the creator `by-tea`; pins of `both` are of tea and jam. */
const pinOf = (pinId: string) => {
  const topic = pinId.split('-')[0]!
  const topics = topic === 'both' ? ['tea', 'jam'] : [topic]
  return { topics: topics.map((each) => asId<TopicId>(each)), creatorId: asId<CreatorId>(`by-${topic}`) }
}
const catalogue = new Map(
  ['tea', 'jam', 'both'].flatMap((topic) =>
    Array.from({ length: 70 }, (_, at) => [hash32(`${topic}-${at}`), pinOf(`${topic}-${at}`)] as const),
  ),
)

type Did = readonly [pinId: string, action: Action, agoMs: number]

function ratesOf(did: readonly Did[], atMs = noonMs): UserRates {
  const acts = did.map(([pinId, action, agoMs]) =>
    anEngagement({ action, subject: aPin(pinId), occurredAtMs: noonMs - agoMs }),
  )
  const user = foldUser(newUserState, acts)
  return new UserRates({ user, pinOf: (hash) => catalogue.get(hash), overallRate: (at) => ratePriors[at]!, atMs })
}

function read(userRates: UserRates, pinMeta: ReturnType<typeof pinOf> | null): Record<string, number> {
  return readFirst(userRateFeatures, { userRates, pinMetas: [pinMeta] })
}

const shown = (topic: string, count: number, agoMs = 0): Did[] =>
  Array.from({ length: count }, (_, at) => [`${topic}-${at}`, 'impression', agoMs])
const saved = (topic: string, count: number, agoMs = 0): Did[] =>
  Array.from({ length: count }, (_, at) => [`${topic}-${at}`, 'save', agoMs])

describe('rates of a user by topic and creator', () => {
  it('are the smoothed share of the pins seen, with their number and their uncertainty', () => {
    const rates = ratesOf([...shown('tea', 40), ...saved('tea', 10), ...shown('jam', 20)])
    const own = (10 + 40 * 0.01) / (60 + 40)
    const tea = (10 + 8 * own) / (40 + 8)
    const ofTea = read(rates, pinOf('tea-59'))
    expect(ofTea['topic_impressions']).toBeCloseTo(40)
    expect(ofTea['topic_save_rate']).toBeCloseTo(tea)
    expect(ofTea['topic_save_uncertainty']).toBeCloseTo(Math.sqrt((tea * (1 - tea)) / 49))
    expect(ofTea['topic_uncertainty']).toBeCloseTo(1 / Math.sqrt(1 + 40 / 8))
    expect(ofTea['user_creator_save_rate']).toBeCloseTo(tea)
    expect(read(rates, pinOf('jam-1'))['topic_save_rate']).toBeCloseTo((8 * own) / 28)
  })

  it('pool the topics of a pin, so each weighs as much as its evidence', () => {
    const rates = ratesOf([...shown('tea', 40), ...saved('tea', 10), ...shown('jam', 20)])
    const own = (10 + 40 * 0.01) / (60 + 40)
    const both = read(rates, pinOf('both-1'))
    expect(both['topic_save_rate']).toBeCloseTo((10 + 16 * own) / (60 + 16))
    expect(both['topic_impressions']).toBeCloseTo(30)
    expect(both['user_creator_impressions']).toBe(0)
  })

  it('count an action that was undone not at all, and a report as a hide', () => {
    const rates = ratesOf([
      ...shown('tea', 8, 60_000),
      ...saved('tea', 1, 30_000),
      ['tea-0', 'unsave', 20_000],
      ['tea-1', 'report', 10_000],
    ])
    const own = (at: number, acted: number) => (acted + 40 * ratePriors[at]!) / 48
    const tea = read(rates, pinOf('tea-9'))
    expect(tea['topic_save_rate']).toBeCloseTo((8 * own(2, 0)) / 16, 4)
    expect(tea['topic_hide_rate']).toBeCloseTo((1 + 8 * own(3, 1)) / 16, 4)
  })

  it('follow a change of taste within a day: the recent rate crosses over, the long one does not', () => {
    const rates = ratesOf([
      ...shown('tea', 50, 2 * dayMs),
      ...saved('tea', 25, 2 * dayMs),
      ...shown('jam', 30),
      ...saved('jam', 8),
      ...Array.from({ length: 20 }, (_, at): Did => [`tea-${50 + at}`, 'impression', 0]),
    ])
    const [tea, jam] = [read(rates, pinOf('tea-9')), read(rates, pinOf('jam-9'))]
    expect(tea['topic_save_rate']).toBeGreaterThan(jam['topic_save_rate']!)
    expect(tea['topic_save_rate_recent']).toBeLessThan(jam['topic_save_rate_recent']!)
    expect(tea['topic_impressions_recent']).toBeCloseTo(50 / 16 + 20, 3)
  })

  it('law: without evidence all pins have the same numbers, whatever their topics', () => {
    const pins = [null, pinOf('tea-1'), pinOf('jam-1'), pinOf('both-1')]
    for (const rates of [ratesOf([]), ratesOf([['unknown', 'save', 0]])]) {
      const numbers = pins.map((pin) => read(rates, pin))
      for (const each of numbers) expect(each).toEqual(numbers[0])
    }
  })

  it('law: rates are in [0, 1] and do not depend on the pins read before', () => {
    const did = fc.array(
      fc.tuple(
        fc.constantFrom('tea-0', 'tea-1', 'jam-0', 'both-0', 'unknown'),
        fc.constantFrom<Action>('impression', 'closeup', 'click', 'save', 'hide', 'unsave', 'report', 'dismiss'),
        fc.integer({ min: 0, max: 30 * dayMs }),
      ),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(did, fc.integer({ min: -dayMs, max: 40 * dayMs }), (list, afterMs) => {
        const pins = [pinOf('tea-0'), null, pinOf('both-0'), pinOf('jam-0')]
        const page = ratesOf(list, noonMs + afterMs)
        for (const pin of [...pins, ...pins]) {
          const numbers = read(page, pin)
          expect(numbers).toEqual(read(ratesOf(list, noonMs + afterMs), pin))
          for (const [name, value] of Object.entries(numbers))
            if (name.includes('rate')) expect(value >= 0 && value <= 1, `${name} is ${value}`).toBe(true)
        }
      }),
    )
  })
})
