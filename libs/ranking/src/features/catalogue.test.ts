import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Engagement } from '@freshet/domain/engagement'
import { readInterests } from '@freshet/domain/features/interests'
import { createOverallCounts, noOverallRates } from '@freshet/domain/features/overall-rates'
import { totalsOf } from '@freshet/domain/features/pin-totals'
import { PinReading } from '@freshet/domain/features/pin-reading'
import { noRetrieval, type RetrievalColumns } from '@freshet/domain/features/retrieval'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { UserRates } from '@freshet/domain/features/user-rates'
import { hash32 } from '@freshet/domain/hash'
import { unrestrictedPin, type Pin } from '@freshet/domain/pin'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { sourceNames } from '@freshet/domain/source-names'
import { aPin, anEngagement, engagements, noonMs } from '@freshet/domain/testing'
import { foldUser, newUserState, type UserState } from '@freshet/domain/user-state'
import { features } from './catalogue.ts'
import type { FeaturePage } from './context.ts'
import { planFeatures } from './plan.ts'

/** A page of one pin that nobody knows. */
const nothing: FeaturePage = {
  pinIds: ['p'],
  user: null,
  interests: null,
  pins: [null],
  pinMetas: [null],
  retrievalScores: Float32Array.of(0),
  retrieval: noRetrieval,
  userRates: null,
  overall: noOverallRates,
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
    ...unrestrictedPin,
    ...given,
  }
}

const plan = planFeatures()

function readingOf(list: readonly Engagement[]): PinReading {
  const state = foldPin(newPinState, list)
  return new PinReading(() => state)
}

/** Columns of `rows` candidates, every number another one. */
function someRetrieval(rows: number): RetrievalColumns {
  const cells = rows * sourceNames.length
  return {
    ranks: Uint16Array.from({ length: rows }, (_, row) => row),
    sourceCounts: Uint8Array.from({ length: rows }, (_, row) => row % 5),
    sourceRanks: Float32Array.from({ length: cells }, (_, cell) => 1 / (1 + cell)),
    sourceScores: Float32Array.from({ length: cells }, (_, cell) => cell),
  }
}

/** Rates from what one user, and what all users, did with some pins. */
function ratesOf({
  user,
  pinMetas,
  lists,
  atMs,
}: {
  readonly user: UserState
  readonly pinMetas: readonly (Pin | null)[]
  readonly lists: readonly (readonly Engagement[])[]
  readonly atMs: number
}): Pick<FeaturePage, 'userRates' | 'overall'> {
  const counts = createOverallCounts()
  for (const [row, pinMeta] of pinMetas.entries())
    if (pinMeta !== null) counts.replace(null, { ...pinMeta, totals: totalsOf(foldPin(newPinState, lists[row]!)) })
  const overall = counts.rates()
  const pins = new Map(pinMetas.map((pinMeta, row) => [hash32(`p${row}`), pinMeta ?? undefined]))
  const overallRate = (action: number) => overall.rate(action)
  return { overall, userRates: new UserRates({ user, pinOf: (hash) => pins.get(hash), overallRate, atMs }) }
}

/** The columns of one candidate alone. */
function rowOf({ ranks, sourceCounts, sourceRanks, sourceScores }: RetrievalColumns, row: number): RetrievalColumns {
  const [from, to] = [row * sourceNames.length, (row + 1) * sourceNames.length]
  return {
    ranks: ranks.slice(row, row + 1),
    sourceCounts: sourceCounts.slice(row, row + 1),
    sourceRanks: sourceRanks.slice(from, to),
    sourceScores: sourceScores.slice(from, to),
  }
}

function valuesOf(page: FeaturePage): Record<string, number> {
  const out = new Float32Array(plan.width)
  plan.readPage(page, out)
  return Object.fromEntries(plan.names.map((name, i) => [name, out[i] ?? NaN]))
}

describe('feature catalogue', () => {
  it('has at least twenty features, each with a unique name, a unit and a width', () => {
    expect(features.length).toBeGreaterThanOrEqual(20)
    expect(new Set(features.map(({ name }) => name)).size).toBe(features.length)
    for (const { name, unit, width } of features) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z0-9-]+)?$/)
      expect(unit).not.toBe('')
      expect(width).toBeGreaterThan(0)
    }
  })

  it('reads the missing value if a need is not met', () => {
    const out = new Float32Array(plan.width)
    plan.readPage(nothing, out)
    let at = 0
    for (const feature of plan.features) {
      if (feature.needs.length > 0) expect(out[at], feature.name).toBe(Math.fround(feature.missing))
      at += feature.width
    }
  })

  it('reads only finite numbers', () => {
    fc.assert(
      fc.property(engagements(), fc.integer({ min: -86_400_000, max: 365 * 86_400_000 }), (list, afterMs) => {
        const user = foldUser(newUserState, list)
        const atMs = noonMs + afterMs
        const pinMeta = aPinMeta()
        const page: FeaturePage = {
          pinIds: ['p1'],
          user,
          interests: readInterests(user, () => pinMeta, atMs),
          pins: [readingOf(list)],
          pinMetas: [pinMeta],
          retrievalScores: Float32Array.of(1.5),
          retrieval: someRetrieval(1),
          ...ratesOf({ user, pinMetas: [pinMeta], lists: [list], atMs }),
          atMs,
        }
        const out = new Float32Array(plan.width)
        plan.readPage(page, out)
        expect(out.every(Number.isFinite)).toBe(true)
      }),
    )
  })

  it('reads the same bits for a page as for each of its candidates alone', () => {
    const lists = fc.array(engagements(), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(lists, fc.integer({ min: -86_400_000, max: 365 * 86_400_000 }), (given, afterMs) => {
        const atMs = noonMs + afterMs
        const user = foldUser(newUserState, given[0]!)
        const interests = readInterests(user, () => aPinMeta(), atMs)
        const retrieval = someRetrieval(given.length)
        const pinIds = given.map((_, row) => `p${row}`)
        const pins = given.map((list) => (list.length === 0 ? null : readingOf(list)))
        const pinMetas = given.map((_, row) =>
          row % 3 === 2 ? null : aPinMeta({ creatorId: asId<CreatorId>(`c${row}`) }),
        )
        const retrievalScores = Float32Array.from(given, (_, row) => 1 / (1 + row))
        const rates = () => ratesOf({ user, pinMetas, lists: given, atMs })
        const request = { user, interests, ...rates(), retrieval, atMs }
        const page = new Float32Array(given.length * plan.width)
        plan.readPage({ ...request, pinIds, pins, pinMetas, retrievalScores }, page)
        for (let row = given.length - 1; row >= 0; row--) {
          const alone = new Float32Array(plan.width)
          const one = {
            ...request,
            ...rates(),
            pinIds: [pinIds[row]!],
            pins: [pins[row]!],
            pinMetas: [pinMetas[row]!],
            retrieval: rowOf(retrieval, row),
            retrievalScores: retrievalScores.slice(row, row + 1),
          }
          plan.readPage(one, alone)
          expect(page.subarray(row * plan.width, (row + 1) * plan.width)).toEqual(alone)
        }
      }),
    )
  })

  it('reads the ranks and scores of retrieval; what the request leaves out has the missing value', () => {
    const names = ['retrieval_rank', 'source_count', 'source_rank.trending', 'source_score.trending']
    const chosen = planFeatures(names)
    const read = (retrieval: RetrievalColumns) => {
      const out = new Float32Array(2 * names.length)
      const two = {
        pinIds: ['p', 'q'],
        pins: [null, null],
        pinMetas: [null, null],
        retrievalScores: Float32Array.of(0, 0),
      }
      chosen.readPage({ ...nothing, ...two, retrieval }, out)
      return [...out.subarray(names.length)]
    }
    const cell = sourceNames.length + sourceNames.indexOf('trending')
    expect(read(someRetrieval(2))).toEqual([1, 1, Math.fround(1 / (1 + cell)), cell])
    expect(read(noRetrieval)).toEqual([2_000, 0, 0, 0])
  })

  it('lays out the chosen features in their order, and names unknown ones', () => {
    expect(planFeatures(['pin_age', 'retrieval_score']).names).toEqual(['pin_age', 'retrieval_score'])
    expect(() => planFeatures(['pin_agee'])).toThrow(/there is no feature "pin_agee"/)
  })

  it('turns the actions of a user into numbers about similar pins', () => {
    const catalogue = new Map([
      ['liked', aPinMeta()],
      ['hidden', aPinMeta({ topics: [asId<TopicId>('t2')], creatorId: asId<CreatorId>('c2') })],
    ])
    const user = foldUser(newUserState, [
      anEngagement({ action: 'save', subject: aPin('liked'), occurredAtMs: noonMs - 3_600_000 }),
      anEngagement({ action: 'hide', subject: aPin('hidden') }),
      anEngagement({ action: 'follow', subject: { kind: 'topic', topicId: asId<TopicId>('t3') } }),
    ])
    const interests = readInterests(user, (pinId) => catalogue.get(pinId), noonMs)
    const about = (pinMeta: Pin) =>
      valuesOf({ ...nothing, user, interests, pinMetas: [pinMeta], pinIds: [pinMeta.pinId] })
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
