import type { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { afterEach, describe, expect, it } from 'vitest'
import { aCreator, aTopic, aWhole, type Act, type Whole } from './whole.fixture.ts'

let whole: Whole | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

const topics = 8
const topicOf = (pinId: string) => Number(pinId.slice(4)) % topics
const creatorOf = (pinId: string) => Number(pinId.slice(4)) % 60
const idsOf = ({ items }: GetFeedResponse) => items.map(({ pinId }) => pinId)

/** The largest number of pins of one class. */
function most(pinIds: readonly string[], classOf: (pinId: string) => number): number {
  const counts = new Map<number, number>()
  for (const pinId of pinIds) counts.set(classOf(pinId), (counts.get(classOf(pinId)) ?? 0) + 1)
  return Math.max(...counts.values())
}

/**
 * 1,600 pins of 8 topics and 60 creators. Many users like one topic each, so what follows a pin is of its topic. The users of a topic
 * have pins in common, so that from a few of its pins the sources reach many others.
 */
async function aCatalogue(): Promise<Whole> {
  const made = await aWhole()
  await made.pins(
    Array.from({ length: 1_600 }, (_, n) => {
      const pinId = `pin-${n}`
      return [
        pinId,
        { topics: [aTopic(`topic-${topicOf(pinId)}`)], creatorId: aCreator(`c${creatorOf(pinId)}`) },
      ] as const
    }),
  )
  const acts = Array.from({ length: 80 }, (_, user) =>
    Array.from({ length: 12 }, (_, n): Act => {
      const on = `pin-${(user % topics) + topics * ((user * 7 + n) % 60)}`
      return { userId: `u${user}`, action: 'save', on }
    }),
  )
  await made.act(...acts.flat())
  return made
}

describe('the page after the first actions of a new user', () => {
  it('a glance of 150 ms: at most 40 % of one topic, and no creator above the cap', async () => {
    whole = await aCatalogue()
    await whole.act({ action: 'closeup', on: 'pin-8', dwellMs: 150 })
    const page = idsOf(await whole.feed())
    expect(page).toHaveLength(25)
    expect(most(page, topicOf)).toBeLessThanOrEqual(10)
    expect(most(page, creatorOf)).toBeLessThanOrEqual(3)
  })

  it('several saves of a topic: it fills the page up to the cap for as much evidence', async () => {
    whole = await aCatalogue()
    await whole.act(...[0, 1, 2, 3, 4, 5].map((n): Act => ({ action: 'save', on: `pin-${8 * (n * 5)}` })))
    const page = idsOf(await whole.feed())
    // From 10 to 15, of which 6 actions give 6 / (6 + 5).
    expect(page.filter((pinId) => topicOf(pinId) === 0)).toHaveLength(13)
    expect(most(page, topicOf)).toBe(13)
    expect(most(page, creatorOf)).toBeLessThanOrEqual(3)
  })
})
