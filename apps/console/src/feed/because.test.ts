import type { Seed } from '@freshet/client/browser'
import { describe, expect, it } from 'vitest'
import { becauseOf, savedBefore } from './because.ts'

const aSeed = (pinId: string, action = 'SAVE', occurredAtMs = 1_000): Seed => ({ pinId, action, occurredAtMs })
const seeds = [
  { source: 'pixie-walk', seeds: [aSeed('new'), aSeed('old', 'CLICK')] },
  { source: 'saved-boards', seeds: [aSeed('new')] },
]

describe('the actions that a pin follows from', () => {
  it('are those of the first of its sources that started from some', () => {
    expect(becauseOf(['popularity', 'pixie-walk'], seeds)).toEqual({
      ...{ seed: aSeed('new'), source: 'pixie-walk', others: [aSeed('old', 'CLICK')] },
    })
    expect(becauseOf(['popularity'], seeds)).toBeNull()
    expect(becauseOf(['pixie-walk'], [])).toBeNull()
  })
})

describe('the save that a card names', () => {
  const named = (sources: readonly string[], { nowMs = 2_000, isSameTopic = false, given = seeds } = {}) =>
    savedBefore({ pinId: 'p', sources }, given, { nowMs, haveSameTopic: () => isSameTopic })?.pinId

  it('is what a source of the pin started from alone', () => {
    expect(named(['saved-boards'])).toBe('new')
    expect(named(['popularity'])).toBeUndefined()
  })

  it('is what counts most among several, if the pin has its topic', () => {
    expect(named(['pixie-walk'])).toBeUndefined()
    expect(named(['pixie-walk'], { isSameTopic: true })).toBe('new')
  })

  it('is recent, and a save', () => {
    expect(named(['saved-boards'], { nowMs: 3_600_000 })).toBeUndefined()
    expect(named(['s'], { given: [{ source: 's', seeds: [aSeed('new', 'CLICK')] }] })).toBeUndefined()
  })
})
