import { describe, expect, it } from 'vitest'
import { topicListsOf } from './topic-lists.ts'

describe('lists of topics', () => {
  it('give each pin its own topics, and pins that share a list the same index', () => {
    const shared = ['tea', 'jam']
    const pins = [{ topics: shared }, null, { topics: ['oat'] }, { topics: shared }, { topics: [] }]
    const { lists, of } = topicListsOf(pins)
    expect([...of].map((index) => lists[index])).toEqual([shared, [], ['oat'], shared, []])
    expect(of[3]).toBe(of[0])
  })
})
