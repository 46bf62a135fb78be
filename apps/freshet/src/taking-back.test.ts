import { afterEach, describe, expect, it } from 'vitest'
import { orderingSchema } from '@freshet/blender/ordering/config'
import type { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { mix32 } from '@freshet/domain/hash'
import { aCreator, aTopic, aWhole, type Act, type Whole } from './whole.fixture.ts'

const topics = 10
const pinsPerTopic = 40
const topicOf = (pinId: string): number => Number(pinId.slice(4)) % topics

const uncapped = orderingSchema.parse({
  caps: { creator: { most: 1_000 }, topic: { most: 1_000, mostAtStart: 1_000 } },
})

let whole: Whole | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

/** Ten topics of forty pins, each of one creator, and a crowd in which each user likes one topic. No cap keeps a topic off the page. */
async function aCrowd(): Promise<Whole> {
  const made = await aWhole({ blender: { ordering: uncapped } })
  await made.pins(
    Array.from(
      { length: topics * pinsPerTopic },
      (_, n) =>
        [
          `pin-${n}`,
          { topics: [aTopic(`topic-${n % topics}`)], creatorId: aCreator(`creator-${n % topics}`) },
        ] as const,
    ),
  )
  const acts = Array.from({ length: 1_500 }, (_, n): Act => {
    const user = n % 100
    return {
      userId: `crowd-${user}`,
      action: n % 3 === 0 ? 'save' : 'click',
      on: `pin-${(user % topics) + topics * (mix32(n) % pinsPerTopic)}`,
      ...(n % 3 === 0 && { boardId: `board-${user}` }),
    }
  })
  await made.act(...acts)
  return made
}

const ofTopic = ({ items }: GetFeedResponse, topic: number): number =>
  items.filter(({ pinId }) => topicOf(pinId) === topic).length

const mine = ['pin-3', 'pin-13', 'pin-23']

describe('A8 · taking back', () => {
  it.each(['unsave', 'hide', 'report', 'dismiss'] as const)(
    '3 saves and then 3 times %s: no more of that topic than a newcomer gets',
    async (action) => {
      whole = await aCrowd()
      const newcomer = ofTopic(await whole.feed({ userId: 'newcomer', pageSize: 20 }), 3)
      await whole.act(...mine.map((on): Act => ({ action: 'save', on, boardId: 'mine' })))
      const saved = await whole.feed({ pageSize: 20, evaluation: { dryRun: true } as never })
      expect(ofTopic(saved, 3)).toBeGreaterThanOrEqual(15)
      await whole.act(...mine.map((on): Act => ({ action, on, ...(action === 'unsave' && { boardId: 'mine' }) })))
      const taken = await whole.feed({ pageSize: 20 })
      expect(taken.items).toHaveLength(20)
      expect(ofTopic(taken, 3)).toBeLessThanOrEqual(newcomer)
      expect(taken.items.filter(({ pinId }) => mine.includes(pinId))).toEqual([])
    },
  )

  it('a withdrawn hide counts as if it had not happened', async () => {
    whole = await aCrowd()
    await whole.act(...mine.map((on): Act => ({ action: 'save', on, boardId: 'mine' })))
    await whole.act({ action: 'hide', on: 'pin-3' }, { action: 'unhide', on: 'pin-3' })
    expect(ofTopic(await whole.feed({ pageSize: 20 }), 3)).toBeGreaterThanOrEqual(15)
  })

  it('a pin that is unsaved and saved again counts as saved', async () => {
    whole = await aCrowd()
    const acts: readonly Act['action'][] = ['save', 'unsave', 'save']
    await whole.act(...acts.flatMap((action) => mine.map((on): Act => ({ action, on, boardId: 'mine' }))))
    expect(ofTopic(await whole.feed({ pageSize: 20 }), 3)).toBeGreaterThanOrEqual(15)
  })
})
