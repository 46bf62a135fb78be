import { bytesOf, float32Column, uint16Column } from '@freshet/contracts/bytes/columns'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { describe, expect, test } from 'vitest'
import { aBlender, anEngagement, aPin, manyPins, rankedPins, startMs } from '../blender.harness.ts'
import { orderingSchema, type OrderingConfig } from './config.ts'
import { only } from './only-steps.fixture.ts'

const idsOf = ({ items }: { readonly items: readonly { readonly pinId: string }[] }) => items.map(({ pinId }) => pinId)
const actOn = (pin: number, dwellMs: number | null) => ({
  ...anEngagement('closeup', `pin-${pin}`, startMs - 60_000 - pin),
  dwellMs,
})
const countOf = (texts: readonly string[], wanted: string) => texts.filter((text) => text === wanted).length

/** 120 pins. The best 60 are of one creator and topic, the others of twenty creators and five topics. */
async function oneSided(ordering: OrderingConfig) {
  const pins = manyPins(120)
  const creatorOf = (pin: number) => (pin >= 60 ? 'cleo' : `creator-${pin % 20}`)
  const topicOf = (pin: number) => (pin >= 60 ? 'tea' : `topic-${pin % 5}`)
  const blender = await aBlender({ pins, config: { ordering } })
  await blender.tellCatalogue(
    pins.map((pinId, pin) => aPin(pinId, { creatorId: creatorOf(pin), topics: [topicOf(pin)] })),
  )
  const numberOf = (pinId: string) => Number(pinId.slice(4))
  return {
    ...blender,
    creators: (ids: readonly string[]) => ids.map((id) => creatorOf(numberOf(id))),
    topics: (ids: readonly string[]) => ids.map((id) => topicOf(numberOf(id))),
  }
}

describe('the ordering of a page', () => {
  test('without steps is the order of utility', async () => {
    const { feed } = await oneSided(only({}))
    expect(idsOf(await feed())).toEqual(Array.from({ length: 25 }, (_, place) => `pin-${119 - place}`))
  })

  test('keeps the caps of creators and topics, and the best pins that fit', async () => {
    const ordering = only({
      caps: { creator: { most: 3, window: 25 }, topic: { most: 9, mostAtStart: 9, window: 25 } },
    })
    const { feed, creators, topics } = await oneSided(ordering)
    const ids = idsOf(await feed())
    expect(ids.slice(0, 4)).toEqual(['pin-119', 'pin-118', 'pin-117', 'pin-59'])
    for (const creator of creators(ids)) expect(countOf(creators(ids), creator)).toBeLessThanOrEqual(3)
    for (const topic of topics(ids)) expect(countOf(topics(ids), topic)).toBeLessThanOrEqual(9)
  })

  test('ignores topics among related pins', async () => {
    const ordering = only({ caps: { creator: { most: 60, window: 70 }, topic: { most: 1, mostAtStart: 1 } } })
    const { related, topics } = await oneSided(ordering)
    expect(countOf(topics(idsOf(await related({ pageSize: 10 }))), 'tea')).toBe(10)
  })

  test('loses no pin and repeats none over all pages', async () => {
    const { feed } = await oneSided(orderingSchema.parse({}))
    const seen: string[] = []
    let pageToken = ''
    for (let page = 0; page < 12 && seen.length < 120; page++) {
      const answer = await feed({ pageSize: 11, pageToken })
      seen.push(...idsOf(answer))
      pageToken = answer.nextPageToken
    }
    expect(new Set(seen).size).toBe(120)
    expect(seen).toHaveLength(120)
  })

  test('spacing moves a pin only for about as much utility as its penalty', async () => {
    const spacing = { creator: { weight: 1, window: 3 }, topic: { weight: 0 } }
    const { feed, creators, services } = await oneSided(only({ spacing }))
    // The best pins of the others are nearly as good.
    services.rank = (request) => {
      const worth = Float32Array.from(request.pinIds, (id) => 100 + (Number(id.slice(4)) % 60) / 2)
      return { ...rankedPins(request), utilities: bytesOf(worth) }
    }
    const page = creators(idsOf(await feed({ pageSize: 20 })))
    page.slice(1).forEach((creator, place) => expect(creator).not.toBe(page[place]))
    expect(countOf(page, 'cleo')).toBeGreaterThanOrEqual(5)
  })

  test('diversity prefers pins unlike those above, by either method', async () => {
    for (const method of ['ssd', 'mmr']) {
      const { feed, topics } = await oneSided(only({ diversity: { method, weight: 5, window: 10 }, lookAhead: 100 }))
      expect(new Set(topics(idsOf(await feed({ pageSize: 6 })))).size).toBeGreaterThanOrEqual(5)
    }
  })

  test('pages of a dry run come from one order', async () => {
    const pagesOf = async (evaluation: GetFeedRequest['evaluation'], pageSize: number, pages: number) => {
      const { feed } = await oneSided(orderingSchema.parse({}))
      const ids: string[] = []
      let pageToken = ''
      for (let page = 0; page < pages; page++) {
        const answer = await feed({ pageSize, pageToken, evaluation })
        ids.push(...idsOf(answer))
        pageToken = answer.nextPageToken
      }
      return ids
    }
    const dry = GetFeedRequest.fromJSON({ evaluation: { dryRun: true } }).evaluation
    const ids = await pagesOf(dry, 10, 4)
    expect(new Set(ids).size).toBe(40)
  })
})

test('the record of a feed says what each step added, and the moves', async () => {
  const caps = { creator: { most: 2, window: 25 }, topic: { most: 1_000, mostAtStart: 1_000 } }
  const { feed, servedFeeds } = await oneSided(only({ caps }))
  const answer = await feed({ pageSize: 5 })
  expect(idsOf(answer)).toEqual(['pin-119', 'pin-118', 'pin-59', 'pin-58', 'pin-57'])
  const [served] = await servedFeeds()
  expect(served!.ordering.map(({ step }) => step)).toEqual(['caps'])
  expect(Array.from(float32Column(served!.ordering[0]!.added))).toEqual([0, 0, 0, 0, 0])
  expect(served!.moves!.reasons).toEqual(['caps/raised', 'caps/held-back'])
  expect(Array.from(served!.moves!.pins.filter((_, at) => at % 2 === 0))).toEqual([2, 3, 4])
})

test('an explanation says at which pins a rule was broken', async () => {
  const caps = { creator: { most: 1, window: 25 }, topic: { most: 1_000, mostAtStart: 1_000 } }
  const { feed, blender, settle } = await oneSided(only({ caps }))
  const { feedId } = await feed({ pageSize: 25 })
  const { pins } = await settle(blender.explainFeed({ feedId, pinId: '' }, { timeoutMs: 500 }))
  // There are 21 creators.
  pins.forEach(({ notes }, place) => expect(notes).toEqual(place < 21 ? [] : ['caps/broke-caps']))
})

describe('what is known about a user', () => {
  const caps = { creator: { most: 1_000 }, topic: { most: 20, mostAtStart: 5, window: 25 } }
  const ordering = only({ caps, evidence: { halfActions: 5, fullDwellMs: 3_000 } })

  test('lets a topic take more of the page; a glance hardly does', async () => {
    const teasOf = async (acts: readonly ReturnType<typeof actOn>[]) => {
      const { feed, topics, storeUser } = await oneSided(ordering)
      await storeUser('ada', acts)
      return countOf(topics(idsOf(await feed())), 'tea')
    }
    expect(await teasOf([])).toBe(5)
    expect(await teasOf([actOn(0, 150)])).toBe(5)
    expect(await teasOf([0, 1, 2, 3, 4].map((pin) => actOn(pin, 5_000)))).toBe(13)
    expect(await teasOf([0, 1, 2, 3, 4].map((pin) => actOn(pin, null)))).toBe(13)
  })

  test('the pool keeps room for other topics, so that the caps have a choice', async () => {
    const crowded = only({ caps, pool: 40 })
    const spread = only({ caps, pool: 40, poolTopicShare: 0.5 })
    const teasOf = async (config: OrderingConfig) => {
      const { feed, topics } = await oneSided(config)
      return countOf(topics(idsOf(await feed())), 'tea')
    }
    expect(await teasOf(crowded)).toBe(25)
    expect(await teasOf(spread)).toBe(5)
  })
})

test('a creator with the best pins does not fill the pool, so that every page of a session keeps the cap', async () => {
  const caps = { creator: { most: 3, window: 10 }, topic: { most: 1_000, mostAtStart: 1_000 } }
  const { feed, creators } = await oneSided(only({ caps, pool: 30 }))
  const first = await feed({ pageSize: 10 })
  const second = await feed({ pageSize: 10, pageToken: first.nextPageToken })
  for (const page of [first, second]) expect(countOf(creators(idsOf(page)), 'cleo')).toBe(3)
})

describe('fatigue', () => {
  const tired = only({ fatigue: { floor: 0, creatorDecay: 0.8, topicDecay: 1, halfLifeMs: 3_600_000 } })

  test('lowers the creator of the last page, and wears off', async () => {
    const { feed, creators, clock } = await oneSided(tired)
    const first = creators(idsOf(await feed({ pageSize: 10 })))
    expect(countOf(first, 'cleo')).toBe(10)
    const second = creators(idsOf(await feed({ pageSize: 10 })))
    expect(countOf(second, 'cleo')).toBe(0)
    await clock.advance(5.5 * 3_600_000)
    expect(countOf(creators(idsOf(await feed({ pageSize: 10 }))), 'cleo')).toBe(10)
  })

  test('does not change the order of a user who was shown nothing', async () => {
    const { feed } = await oneSided(tired)
    expect(idsOf(await feed({ pageSize: 3 }))).toEqual(['pin-119', 'pin-118', 'pin-117'])
  })
})

test('mixing gives a group of sources its share', async () => {
  const groups = [{ sources: ['odd'], min: 0, max: 0.2 }]
  const { feed } = await oneSided(only({ mixing: { groups } }))
  const sources = (await feed({ pageSize: 10 })).items.map((item) => item.sources[0]!)
  expect(countOf(sources, 'odd')).toBe(2)
})

test('next pages, which come from the reserve, are mixed too', async () => {
  const groups = [{ sources: ['odd'], min: 0, max: 0.2 }]
  const { feed, services } = await oneSided(only({ mixing: { groups } }))
  let pageToken = ''
  for (let page = 0; page < 3; page++) {
    const { items, nextPageToken } = await feed({ pageSize: 10, pageToken })
    const sources = items.map((item) => item.sources[0]!)
    expect([items.length, countOf(sources, 'odd')]).toEqual([10, 2])
    pageToken = nextPageToken
  }
  expect(services.retrieved).toHaveLength(1)
})

test('a broad source has a larger share while little is known about the user', async () => {
  const mixing = { broad: { sources: ['odd'], share: 0.5, shareAtStart: 1 } }
  const oddsOf = async (acts: number) => {
    const { feed, storeUser } = await oneSided(only({ mixing }))
    await storeUser(
      'ada',
      Array.from({ length: acts }, (_, pin) => actOn(pin, null)),
    )
    return countOf(
      (await feed({ pageSize: 10 })).items.map((item) => item.sources[0]!),
      'odd',
    )
  }
  expect(await oddsOf(0)).toBe(10)
  expect(await oddsOf(45)).toBe(5)
})

describe('a drawn order', () => {
  const drawn = (caps = {}) => only({ draw: { share: 1, temperature: 0.5 }, ...caps })

  test('is recorded with its probabilities', async () => {
    const { feed, servedFeeds } = await oneSided(drawn())
    const ids = idsOf(await feed({ pageSize: 5 }))
    expect(ids).not.toEqual(['pin-119', 'pin-118', 'pin-117', 'pin-116', 'pin-115'])
    const [{ draw, propensities, pinIds }] = (await servedFeeds()) as [FeedServed]
    const cascade = float32Column(propensities)
    const places = float32Column(draw!.positionPropensities)
    expect(pinIds).toEqual(ids)
    expect(cascade).toHaveLength(5)
    expect(draw!.candidates).toBe(120)
    expect(draw!.slateLogPropensity).toBeCloseTo(
      cascade.reduce((sum, p) => sum + Math.log(p), 0),
      4,
    )
    // With utilities 0 … 119 the softmax is a geometric series.
    const ratio = Math.exp(-1 / draw!.temperature)
    const own = ratio ** (119 - Number(ids[0]!.slice(4)))
    expect(cascade[0]).toBeCloseTo((own * (1 - ratio)) / (1 - ratio ** 120), 5)
    expect(places[0]).toBeCloseTo(cascade[0]!, 5)
    for (const p of places) expect(p > 0 && p < 1).toBe(true)
    expectExact(FeedServed.fromPartial({ draw, propensities, pinIds }))
  })

  /** The recorded probabilities follow from the pins on the page and the recorded rest. The utility of pin-n is n. */
  function expectExact({ draw, propensities, pinIds }: FeedServed): void {
    const rest = float32Column(draw!.restUtilities)
    const keptOutFrom = uint16Column(draw!.restKeptOutFrom)
    expect([rest.length, keptOutFrom.length]).toEqual([120 - pinIds.length, 120 - pinIds.length])
    const massOf = (utility: number): number => Math.exp((utility - 119) / draw!.temperature)
    const page = pinIds.map((pinId) => massOf(Number(pinId.slice(4))))
    for (const [place, propensity] of float32Column(propensities).entries()) {
      const below = page.slice(place).reduce((sum, mass) => sum + mass, 0)
      const others = rest.reduce((sum, value, at) => sum + (keptOutFrom[at]! > place ? massOf(value) : 0), 0)
      expect(propensity).toBeCloseTo(page[place]! / (below + others), 5)
    }
  }

  test('keeps the caps; then the probabilities of places are not known', async () => {
    const caps = { creator: { most: 1, window: 25 }, topic: { most: 1_000, mostAtStart: 1_000 } }
    const { feed, creators, servedFeeds } = await oneSided(drawn({ caps }))
    const page = creators(idsOf(await feed({ pageSize: 20 })))
    expect(new Set(page).size).toBe(20)
    const [served] = (await servedFeeds()) as [FeedServed]
    const { draw, propensities } = served
    expectExact(served)
    expect(Math.min(...uint16Column(draw!.restKeptOutFrom))).toBeLessThan(20)
    expect(Array.from(float32Column(draw!.positionPropensities)).every(Number.isNaN)).toBe(true)
    expect(Array.from(float32Column(propensities)).every((p) => p > 0)).toBe(true)
  })

  test('is drawn again for the next page: its probabilities do not depend on the noise of the page before', async () => {
    const { feed } = await oneSided(only({ draw: { share: 1, temperature: 100 } }))
    const numbersOf = (answer: Parameters<typeof idsOf>[0]) => idsOf(answer).map((pinId) => Number(pinId.slice(4)))
    let same = 0
    for (let user = 0; user < 20; user++) {
      const userId = `user-${user}`
      const first = await feed({ userId, pageSize: 5 })
      const [before, [next]] = [
        numbersOf(first),
        numbersOf(await feed({ userId, pageSize: 5, pageToken: first.nextPageToken })),
      ]
      const rankOfNext = 119 - next! - before.filter((number) => number > next!).length
      if (rankOfNext === 119 - before[0]!) same++
    }
    // Drawn from 115 pins about alike.
    expect(same).toBeLessThanOrEqual(2)
  })

  test('is the same for the same request, another for another user, and rare if the share is small', async () => {
    const { feed } = await oneSided(drawn())
    const dry = GetFeedRequest.fromJSON({ evaluation: { dryRun: true } }).evaluation
    expect(idsOf(await feed({ pageSize: 3, evaluation: dry }))).toEqual(['pin-119', 'pin-118', 'pin-117'])
    const pageOf = async (userId: string, share = 1) => {
      const { feed: ask } = await oneSided(only({ draw: { share, temperature: 0.5 } }))
      return idsOf(await ask({ userId, pageSize: 3 })).join(' ')
    }
    expect(await pageOf('bea')).toBe(await pageOf('bea'))
    expect(await pageOf('bea')).not.toBe(await pageOf('cid'))
    expect(await pageOf('bea', 1e-6)).toBe('pin-119 pin-118 pin-117')
  })
})
