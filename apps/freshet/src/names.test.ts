import type { TopicId, CreatorId } from '@freshet/domain/ids'
import { afterEach, describe, expect, it } from 'vitest'
import { aWhole, type Whole } from './whole.fixture.ts'

let whole: Whole | undefined
afterEach(async () => {
  await whole?.stop()
})

const pin = (topic: string, creator: string) => ({
  topics: [topic as TopicId],
  creatorId: creator as CreatorId,
  createdAtMs: Date.UTC(1950, 0, 1),
})

describe('A17 · names with spaces, and pins from before 1970', () => {
  it('work in all services: saves to boards, followed topics and blocked creators', async () => {
    whole = await aWhole()
    const decor = Array.from({ length: 20 }, (_, i) => [`decor${i}`, pin('Home Decor', 'Ada Lovelace')] as const)
    const food = Array.from({ length: 20 }, (_, i) => [`food${i}`, pin('Food & Drink', 'Jo Ann')] as const)
    await whole.pins([...decor, ...food])
    const all = await whole.feed({ userId: 'ada', pageSize: 40, evaluation: dry })
    expect(all.items).toHaveLength(40)
    await whole.act(
      { userId: 'ada', action: 'save', on: 'decor0', boardId: 'Home Decor' },
      { userId: 'ada', action: 'follow', on: { kind: 'topic', topicId: 'Home Decor' as TopicId } },
      { userId: 'ada', action: 'block', on: { kind: 'creator', creatorId: 'Jo Ann' as CreatorId } },
    )
    const { items } = await whole.feed({ userId: 'ada', pageSize: 40, evaluation: dry })
    const pinIds = items.map(({ pinId }) => pinId)
    expect(pinIds.filter((pinId) => pinId.startsWith('food'))).toEqual([])
    expect(pinIds.filter((pinId) => pinId.startsWith('decor')).length).toBeGreaterThanOrEqual(19)
  })
})

const dry = {
  consistency: 0 as const,
  dryRun: true,
  amongPinIds: [],
  excludePinIds: [],
  allowRepeats: false,
  depth: 0 as const,
  sources: [],
}
