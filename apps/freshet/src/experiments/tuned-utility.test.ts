import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { float32Column } from '@freshet/contracts/bytes/columns'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { afterEach, describe, expect, it } from 'vitest'
import { aCreator, aTopic, aWhole, type Whole } from '../whole.fixture.ts'

let whole: Whole | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

const specFile = join(import.meta.dirname, '../../../../libs/ranking/specs/home.json')
const { actions } = JSON.parse(readFileSync(specFile, 'utf8')) as {
  readonly actions: Readonly<Record<string, { readonly worth: number }>>
}
const utilityTuning = { sigma: 0.3, share: 0.7, heads: ['save', 'hide', 'closeup'], salt: 'parity' }

/** The feeds of 40 users whose weights are tuned, as they are recorded. */
async function tunedFeeds(): Promise<FeedServed[]> {
  let log: EventLog | null = null
  whole = await aWhole({ blender: { utilityTuning }, ranking: { specFile } }, (seen) => (log = seen))
  await whole.pins(
    Array.from({ length: 80 }, (_, n) => [
      `pin-${n}`,
      { topics: [aTopic(`topic-${n % 4}`)], creatorId: aCreator(`creator-${n}`) },
    ]),
  )
  await whole.act(
    ...Array.from({ length: 60 }, (_, n) => ({ userId: `old-${n % 9}`, action: 'save' as const, on: `pin-${n % 31}` })),
  )
  for (let user = 0; user < 40; user++) {
    const { nextPageToken: pageToken } = await whole.feed({ userId: `user-${user}`, pageSize: 10 })
    await whole.feed({ userId: `user-${user}`, pageSize: 10, pageToken })
  }
  await whole.embedded.blender.flush()
  const feeds: FeedServed[] = []
  await readToEnd({
    ...{ log: log!, topic: 'feeds-served.v1', maxBatchRecords: 100 },
    onRecords: (_partition, records) => void feeds.push(...records.map(({ value }) => FeedServed.decode(value!))),
    onError: (error) => expect.fail(error.message),
  })
  return feeds
}

/** The utility of each pin from what the record says: Σ worth · factor · probability. */
function recomputed({ actions: heads, probabilities, pinIds, headFactors }: FeedServed): Float32Array {
  const predictions = float32Column(probabilities)
  const factors = float32Column(headFactors?.factors ?? new Uint8Array(0))
  return Float32Array.from(pinIds, (_, pin) =>
    heads.reduce((sum, head, at) => {
      const tuned = headFactors?.heads.indexOf(head) ?? -1
      const weight = actions[head]!.worth * (tuned < 0 ? 1 : factors[tuned]!)
      return sum + weight * predictions[at * pinIds.length + pin]!
    }, 0),
  )
}

describe('utility tuning of the whole product', () => {
  it('serves the utilities that follow from the recorded factors, to the last bit, on first and next pages', async () => {
    const feeds = await tunedFeeds()
    expect(feeds).toHaveLength(80)
    const signs = new Map<string, Set<number>>()
    for (const feed of feeds) {
      expect(feed.pinIds).toHaveLength(10)
      expect(feed.utilities).toEqual(new Uint8Array(recomputed(feed).buffer))
      for (const [at, factor] of float32Column(feed.headFactors?.factors ?? new Uint8Array(0)).entries()) {
        expect([Math.fround(Math.exp(0.3)), Math.fround(Math.exp(-0.3))]).toContain(factor)
        const head = feed.headFactors!.heads[at]!
        signs.set(head, (signs.get(head) ?? new Set()).add(Math.sign(Math.log(factor))))
      }
    }
    expect([...signs].map(([head, seen]) => [head, seen.size])).toEqual([
      ['save', 2],
      ['hide', 2],
      ['closeup', 2],
    ])
    const tuned = feeds.filter(({ headFactors }) => headFactors !== undefined)
    expect(tuned.length).toBeGreaterThan(0.5 * feeds.length)
    expect(tuned.length).toBeLessThan(0.9 * feeds.length)
    // The parity can fail: without the factors, utilities are others.
    for (const feed of tuned)
      expect(feed.utilities).not.toEqual(new Uint8Array(recomputed({ ...feed, headFactors: undefined }).buffer))
  })
})
