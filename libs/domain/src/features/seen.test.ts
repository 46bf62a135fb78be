import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noonMs } from '../testing.ts'
import { hours } from './feature.ts'
import { foldSeen, hasSeen, lastSeenAtMs, nothingSeen, seenFeatures } from './seen.ts'

const dayMs = 86_400_000
const limits = { maxRecent: 5, generationMs: 10 * dayMs, maxPerGeneration: 20 }

describe('features of what was seen', () => {
  it('say of each pin of a page what the state says of the pin alone, also after pages of other users', () => {
    const sight = fc.record({
      pinId: fc.integer({ min: 0, max: 40 }).map((n) => `p${n}`),
      atMs: fc.integer({ min: noonMs, max: noonMs + 30 * dayMs }),
    })
    const pinIds = Array.from({ length: 60 }, (_, n) => `p${n}`)
    const [before, recency] = seenFeatures as [(typeof seenFeatures)[0], (typeof seenFeatures)[0]]
    fc.assert(
      fc.property(fc.array(sight, { maxLength: 40 }), (sights) => {
        const seen = foldSeen(nothingSeen, sights, limits)
        const page = { user: { seen }, pinIds, atMs: noonMs + 30 * dayMs }
        const [isSeen, ago] = [new Float64Array(60), new Float64Array(60)]
        before.read(page, isSeen)
        recency.read(page, ago)
        expect([...isSeen]).toEqual(pinIds.map((pinId) => (hasSeen(seen, pinId) ? 1 : 0)))
        const recencies = pinIds.map((pinId) => {
          const atMs = lastSeenAtMs(seen, pinId)
          return atMs === null ? 0 : 1 / (1 + hours(page.atMs - atMs))
        })
        expect([...ago]).toEqual(recencies)
      }),
    )
  })
})
