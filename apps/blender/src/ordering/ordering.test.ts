import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { describe, expect, test } from 'vitest'
import { aBlender, aPin, manyPins, rankedPins } from '../blender.harness.ts'
import { orderingSchema, type OrderingConfig } from './config.ts'

const idsOf = ({ items }: { readonly items: readonly { readonly pinId: string }[] }) => items.map(({ pinId }) => pinId)
const countOf = (texts: readonly string[], wanted: string) => texts.filter((text) => text === wanted).length

/** Settings in which only the given steps are on. */
function only(steps: { readonly [Step in keyof OrderingConfig]?: unknown }): OrderingConfig {
  const off = {
    diversity: { method: 'none' },
    spacing: { creator: { weight: 0 }, topic: { weight: 0 } },
    caps: { creator: { most: 1_000 }, topic: { most: 1_000 } },
  }
  return orderingSchema.parse({ ...off, ...steps })
}

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
    const ordering = only({ caps: { creator: { most: 3, window: 25 }, topic: { most: 9, window: 25 } } })
    const { feed, creators, topics } = await oneSided(ordering)
    const ids = idsOf(await feed())
    expect(ids.slice(0, 4)).toEqual(['pin-119', 'pin-118', 'pin-117', 'pin-59'])
    for (const creator of creators(ids)) expect(countOf(creators(ids), creator)).toBeLessThanOrEqual(3)
    for (const topic of topics(ids)) expect(countOf(topics(ids), topic)).toBeLessThanOrEqual(9)
  })

  test('ignores topics among related pins', async () => {
    const ordering = only({ caps: { creator: { most: 60, window: 70 }, topic: { most: 1, window: 25 } } })
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
  const caps = { creator: { most: 2, window: 25 }, topic: { most: 1_000 } }
  const { feed, servedFeeds } = await oneSided(only({ caps }))
  const answer = await feed({ pageSize: 5 })
  expect(idsOf(answer)).toEqual(['pin-119', 'pin-118', 'pin-59', 'pin-58', 'pin-57'])
  const [served] = await servedFeeds()
  expect(served!.ordering.map(({ step }) => step)).toEqual(['caps'])
  expect(Array.from(float32Column(served!.ordering[0]!.added))).toEqual([0, 0, 0, 0, 0])
  expect(served!.moves!.reasons).toEqual(['caps/raised', 'caps/held-back'])
  expect(Array.from(served!.moves!.pins.filter((_, at) => at % 2 === 0))).toEqual([2, 3, 4])
})
