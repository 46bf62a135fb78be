import { describe, expect, it } from 'vitest'
import { asServed, isAsServed, pageInSight } from './tuning.ts'

const anItem = (feedId: string, pinId: string) => ({
  ...{ feedId, pinId, position: 0, utility: 0, sources: [], seenAgain: false },
})

describe('tuning', () => {
  it('is as served until a factor differs', () => {
    const served = asServed(['save', 'click'])
    expect(isAsServed(served)).toBe(true)
    expect(isAsServed({ ...served, weights: { ...served.weights, save: 0 } })).toBe(false)
    expect(isAsServed({ ...served, exploration: 2 })).toBe(false)
  })

  it('is of the page that has most of the pins in sight', () => {
    const items = [
      ...Array.from({ length: 25 }, (_, at) => anItem('one', `a${at}`)),
      ...Array.from({ length: 25 }, (_, at) => anItem('two', `b${at}`)),
    ]
    expect(pageInSight(items, 20)).toBe('one')
    expect(pageInSight(items, 40)).toBe('two')
    expect(pageInSight(items, 0)).toBe('one')
    expect(pageInSight([], 5)).toBe('')
  })
})
