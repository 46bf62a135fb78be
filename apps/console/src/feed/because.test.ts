import { describe, expect, it } from 'vitest'
import type { PinCard } from '../api/blender.ts'
import { becauseOf } from './because.ts'
import type { Save } from './person/memory.ts'

const aCard = (topic: string): PinCard => ({
  ...{ pinId: 'p', title: '', description: '', imageUrl: '', creatorId: 'c', topics: [topic], locale: '' },
})
const aSave = (pinId: string, topic: string, atMs = 1_000): Save => ({
  ...{ pinId, boardId: 'b', title: pinId, topics: [topic], creatorId: 'c', atMs },
})

describe('the save that explains a pin', () => {
  const saves = [aSave('new', 'cats'), aSave('old', 'dogs')]

  it('is the newest with the same topic', () => {
    expect(becauseOf({ pinId: 'p', sources: [] }, aCard('dogs'), saves, 2_000)).toEqual({
      save: saves[1],
      how: 'topic',
    })
  })

  it('is the newest, if a source found the pin that begins with what the user did', () => {
    const found = becauseOf({ pinId: 'p', sources: ['co-occurrence'] }, aCard('cars'), saves, 2_000)
    expect(found).toEqual({ save: saves[0], how: 'source' })
    expect(becauseOf({ pinId: 'p', sources: ['popularity'] }, aCard('cars'), saves, 2_000)).toBeNull()
  })

  it('is not the pin itself, and not long ago', () => {
    expect(becauseOf({ pinId: 'new', sources: [] }, aCard('cats'), saves, 2_000)).toBeNull()
    expect(becauseOf({ pinId: 'p', sources: [] }, aCard('cats'), saves, 3_600_000)).toBeNull()
  })
})
