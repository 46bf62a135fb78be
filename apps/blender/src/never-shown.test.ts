import { Evaluation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { riceColumn } from '@freshet/contracts/bytes/rice'
import { hash32 } from '@freshet/domain/hash'
import { asId } from '@freshet/domain/ids'
import { describe, expect, test } from 'vitest'
import { aBlender, anEngagement, aPin, foundPins, manyPins, startMs } from './blender.harness.ts'

describe('A13 · hides and blocks beyond 1,000', () => {
  test.each([1_000, 10_000, 100_000])(
    '%i hidden pins are never shown, and one that was taken back is',
    async (count) => {
      const { feed, storeUser, services } = await aBlender()
      const hides = manyPins(count).map((pinId, i) => anEngagement('hide', pinId, startMs - (count - i) * 60_000))
      const [first, middle, last] = [0, count >> 1, count - 1].map((i) => `pin-${i}`)
      services.pins = [...new Set([first!, middle!, last!, ...manyPins(60), 'open-1', 'open-2', `pin-${count}`])]
      // A candidate service that excludes nothing: only the filter decides.
      services.retrieve = (request) => foundPins(services.pins, { ...request, excludePinIds: [] })
      await storeUser('ada', hides)
      const shown = (await feed()).items.map(({ pinId }) => pinId)
      expect(shown.sort()).toEqual(['open-1', 'open-2', `pin-${count}`])

      const asked = services.retrieved[0] as RetrieveRequest
      const [ids, hashes] = [new Set(asked.excludePinIds), new Set(riceColumn(asked.excludePinHashes))]
      expect(manyPins(count).filter((pinId) => !ids.has(pinId) && !hashes.has(hash32(pinId)))).toEqual([])
      expect(hashes.has(hash32('open-1'))).toBe(false)

      await storeUser('ada', [...hides, anEngagement('unhide', first!, startMs - 1_000)], 2)
      const after = (await feed({ evaluation: Evaluation.fromPartial({ allowRepeats: true }) })).items.map(
        ({ pinId }) => pinId,
      )
      expect(after).toContain(first)
      expect(after).not.toContain(middle)
      expect(riceColumn(services.retrieved.at(-1).excludePinHashes)).not.toContain(hash32(first!))
    },
  )

  test.each([1_001, 10_000])('pins of %i blocked creators and topics are never shown', async (count) => {
    const { feed, storeUser, services, tellCatalogue } = await aBlender()
    const blocks = Array.from({ length: count }, (_, i) => [
      anEngagement('block', { kind: 'creator', creatorId: asId(`creator-${i}`) }, startMs - (count - i) * 60_000),
      anEngagement('block', { kind: 'topic', topicId: asId(`topic-${i}`) }, startMs - (count - i) * 60_000),
    ]).flat()
    services.pins = ['pin-1', 'pin-2', 'pin-3', 'pin-4', 'pin-5']
    await tellCatalogue([
      aPin('pin-1', { creatorId: 'creator-0' }),
      aPin('pin-2', { topics: ['topic-0'] }),
      aPin('pin-3', { creatorId: `creator-${count - 1}` }),
      aPin('pin-4', { topics: ['other', `topic-${count - 1}`] }),
      aPin('pin-5', { creatorId: 'cleo', topics: ['other'] }),
    ])
    await storeUser('ada', blocks)
    expect((await feed()).items.map(({ pinId }) => pinId)).toEqual(['pin-5'])
  })

  test('pins with any of 1,001 blocked words are never shown', async () => {
    const { feed, storeUser, services, tellCatalogue } = await aBlender()
    const blocks = Array.from({ length: 1_001 }, (_, i) =>
      anEngagement('block', { kind: 'word', word: `word${i}` }, startMs - (1_001 - i) * 60_000),
    )
    services.pins = ['pin-1', 'pin-2', 'pin-3']
    const titled = (pinId: string, title: string) => {
      const { kind, pin } = aPin(pinId)
      return { kind, pin: { ...pin, title } }
    }
    await tellCatalogue([titled('pin-1', 'Word0 here'), titled('pin-2', 'word1000'), titled('pin-3', 'word1001')])
    await storeUser('ada', blocks)
    expect((await feed()).items.map(({ pinId }) => pinId)).toEqual(['pin-3'])
  })
})

test('where pins need no catalogue, those without an entry are shown only as long as it fits: one that found no room may have been deleted', async () => {
  const { feed, tellCatalogue } = await aBlender({ pins: manyPins(4), config: { showUnlistedPins: true, maxPins: 2 } })
  await tellCatalogue([aPin('pin-0'), aPin('pin-1')])
  const idsOf = async () => (await feed({ evaluation: allRepeats })).items.map(({ pinId }) => pinId).sort()
  expect(await idsOf()).toEqual(manyPins(4))
  await tellCatalogue([aPin('pin-2')])
  expect(await idsOf()).toEqual(['pin-0', 'pin-1'])
})

test('a deletion that was forgotten for lack of room brings no pin back', async () => {
  const { feed, tellCatalogue } = await aBlender({ pins: manyPins(3), config: { showUnlistedPins: true, maxPins: 1 } })
  await tellCatalogue([{ kind: 'delete', pinId: asId('pin-0') }, aPin('pin-1')])
  expect((await feed()).items.map(({ pinId }) => pinId)).toEqual(['pin-1'])
})

const allRepeats = Evaluation.fromPartial({ dryRun: true, allowRepeats: true })
