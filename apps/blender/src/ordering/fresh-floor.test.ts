import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type CreatorId } from '@freshet/domain/ids'
import { describe, expect, test } from 'vitest'
import { aBlender, manyPins, startMs } from '../blender.harness.ts'
import { orderingSchema } from './config.ts'

const hourMs = 3_600_000
const off = {
  diversity: { method: 'none' },
  spacing: { creator: { weight: 0 }, topic: { weight: 0 } },
  caps: { creator: { most: 1_000 }, topic: { most: 1_000, mostAtStart: 1_000 } },
  fatigue: { floor: 1 },
}

/** 120 pins; the worst 40 are new. Each pin has a creator of its own. */
async function withNewPins(freshFloor: object, caps: object = off.caps) {
  const pins = manyPins(120)
  const blender = await aBlender({ pins, config: { ordering: orderingSchema.parse({ ...off, caps, freshFloor }) } })
  await blender.tellCatalogue(
    pins.map((pinId, pin) => ({
      kind: 'upsert' as const,
      pin: aCataloguePin(pinId, {
        creatorId: asId<CreatorId>(`creator-${pin}`),
        createdAtMs: startMs - (pin < 40 ? hourMs : 1_000 * hourMs),
      }),
    })),
  )
  return {
    ...blender,
    async page(userId = 'ada', pageSize = 20) {
      const { items } = await blender.feed({ userId, pageSize })
      return items.map(({ pinId }) => Number(pinId.slice(4)))
    },
  }
}

/** The notes of the step about the pins of a feed, '' for none. */
function notesOf(served: FeedServed): string[] {
  const { notes, noted } = served.ordering.find(({ step }) => step === 'fresh-floor')!
  return Array.from(noted, (note) => (note === 0 ? '' : notes[note - 1]!))
}

describe('the floor for new pins', () => {
  test('gives them their share of the page, and leaves the others in their order', async () => {
    const page = await (await withNewPins({ share: 0.2, holdOutShare: 0 })).page()
    expect(page.filter((pin) => pin < 40)).toHaveLength(4)
    expect(page.filter((pin) => pin >= 40)).toEqual(Array.from({ length: 16 }, (_, place) => 119 - place))
  })

  test('does nothing by default, or if no pin is young enough', async () => {
    const best = Array.from({ length: 20 }, (_, place) => 119 - place)
    expect(await (await withNewPins({})).page()).toEqual(best)
    expect(await (await withNewPins({ share: 0.5, maxAgeMs: hourMs / 2 })).page()).toEqual(best)
  })

  test('keeps the caps', async () => {
    const caps = { ...off.caps, creator: { most: 1, window: 25 } }
    const blender = await withNewPins({ share: 0.2, holdOutShare: 0 }, caps)
    await blender.tellCatalogue(
      Array.from({ length: 40 }, (_, pin) => ({
        kind: 'upsert' as const,
        pin: aCataloguePin(`pin-${pin}`, { creatorId: asId<CreatorId>('one'), createdAtMs: startMs - hourMs }),
      })),
    )
    expect((await blender.page()).filter((pin) => pin < 40)).toHaveLength(1)
    const [served] = await blender.servedFeeds()
    expect(notesOf(served!)).toContain('broke-fresh-floor')
  })

  test('never lifts the pins of creators that are held out, and records both arms', async () => {
    const blender = await withNewPins({ share: 0.5, holdOutShare: 0.5 })
    const lifted = new Set<number>()
    for (const user of ['ada', 'bea', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal'])
      for (const pin of await blender.page(user)) if (pin < 40) lifted.add(pin)
    expect(lifted.size).toBeGreaterThan(8)
    expect(lifted.size).toBeLessThan(32)
    const served = await blender.servedFeeds()
    for (const feed of served)
      feed.pinIds.forEach((pinId, place) => expect(notesOf(feed)[place]).toBe(Number(pinId.slice(4)) < 40 ? 'new' : ''))
    // Who comes by utility is shown all the same, and noted as held out.
    const whole = await withNewPins({ share: 0.01, holdOutShare: 0.5 })
    await whole.page('ada', 100)
    await whole.page('ada', 20)
    const arms = (await whole.servedFeeds()).flatMap((feed) => (feed.ordering.length === 0 ? [] : notesOf(feed)))
    expect(arms).toContain('new-held-out')
    expect(arms).toContain('new')
  })

  test('draws by the probability that the ranker predicts, alike for the same user and session', async () => {
    const pageOf = async (userId: string, strength: number) =>
      (await withNewPins({ share: 0.2, holdOutShare: 0, action: 'click', priorStrength: strength })).page(userId)
    expect(await pageOf('ada', 20)).toEqual(await pageOf('ada', 20))
    expect(await pageOf('ada', 20)).not.toEqual(await pageOf('bea', 20))
    // Pin n is clicked with probability n / 1000; what is surely believed leaves nothing to chance.
    const sure = (await pageOf('ada', 1_000_000)).filter((pin) => pin < 40)
    expect(sure.toSorted((a, b) => b - a)).toEqual([39, 38, 37, 36])
  })
})
