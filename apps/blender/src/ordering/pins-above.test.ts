import { bytesOf } from '@freshet/contracts/bytes/columns'
import { describe, expect, test } from 'vitest'
import { aBlender, aPin, manyPins, rankedPins } from '../blender.harness.ts'
import { only } from './only-steps.fixture.ts'

const creatorOf = (pinId: string) => (Number(pinId.slice(4)) >= 60 ? 'cleo' : `creator-${Number(pinId.slice(4)) % 20}`)

/** 120 pins of which the best 60 are of one creator. Only the given steps are on. */
async function oneSided(steps: Parameters<typeof only>[0]) {
  const pins = manyPins(120)
  // All of the reserve is ranked again, so that a next page has other creators to choose from.
  const blender = await aBlender({ pins, config: { ordering: only(steps), pagesRankedAgain: 10 } })
  await blender.tellCatalogue(pins.map((pinId) => aPin(pinId, { creatorId: creatorOf(pinId) })))
  /** The creators of the pins of a session, page by page. */
  async function creatorsOf(pages: number, pageSize: number): Promise<string[]> {
    const creators: string[] = []
    let pageToken = ''
    for (let page = 0; page < pages; page++) {
      const { items, nextPageToken } = await blender.feed({ pageSize, pageToken })
      creators.push(...items.map(({ pinId }) => creatorOf(pinId)))
      pageToken = nextPageToken
    }
    return creators
  }
  return { ...blender, creatorsOf }
}

const caps = { creator: { most: 3, window: 25 }, topic: { most: 1_000, mostAtStart: 1_000 } }

describe('below the pages before', () => {
  test('caps hold in every window of a session', async () => {
    const { creatorsOf, services } = await oneSided({ caps })
    const creators = await creatorsOf(4, 10)
    expect(services.retrieved).toHaveLength(1)
    for (let end = 0; end < creators.length; end++) {
      const window = creators.slice(Math.max(0, end - 24), end + 1)
      for (const creator of window) expect(window.filter((other) => other === creator).length).toBeLessThanOrEqual(3)
    }
    expect(creators.flatMap((creator, place) => (creator === 'cleo' ? [place] : []))).toEqual([0, 1, 2, 25, 26, 27])
  })

  test('spacing puts distance to the last pin', async () => {
    const { creatorsOf, services } = await oneSided({
      spacing: { creator: { weight: 3, window: 3 }, topic: { weight: 0 } },
    })
    services.rank = (request) => ({
      ...rankedPins(request),
      utilities: bytesOf(Float32Array.from(request.pinIds, (id) => 100 + (Number(id.slice(4)) % 60) / 2)),
    })
    const creators = await creatorsOf(6, 1)
    creators.slice(1).forEach((creator, place) => expect(creator).not.toBe(creators[place]))
    expect(creators).toContain('cleo')
  })

  test('a refresh starts from scratch', async () => {
    const { creatorsOf } = await oneSided({ caps })
    await creatorsOf(2, 10)
    expect((await creatorsOf(1, 4)).slice(0, 3)).toEqual(['cleo', 'cleo', 'cleo'])
  })
})
