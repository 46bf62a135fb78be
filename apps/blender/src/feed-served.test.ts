import { explainServed } from '@freshet/contracts/inspection/explanation'
import { servedJson } from '@freshet/contracts/inspection/served-json'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { Evaluation, ClientContext, FeedFilter } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { SourceStatus } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { userFoldVersion } from '@freshet/contracts/codecs/user-tail'
import { describe, expect, test } from 'vitest'
import { aBlender, anEngagement, aPin, foundPins, manyPins, startMs } from './blender.harness.ts'

/** `pin-3` is also the best pin of a third source. */
function addThirdSource(services: Awaited<ReturnType<typeof aBlender>>['services']): void {
  services.retrieve = (request) => {
    const found = foundPins(services.pins, request)
    const third = {
      candidateIndices: bytesOf(Uint16Array.of(3)),
      scores: bytesOf(Float32Array.of(7)),
      status: SourceStatus.ANSWERED,
      seeds: bytesOf(Uint16Array.of(1, 7)),
    }
    return { ...found, sources: [...found.sources, { source: 'third', ...third }] }
  }
}

describe('the record of a feed', () => {
  test('contains the rank of each pin in each source and among all candidates, and what made the feed', async () => {
    const { feed, services, servedFeeds } = await aBlender({ pins: manyPins(8) })
    addThirdSource(services)
    const client = { platform: 'ios', appVersion: '7.1', deviceClass: 'phone', country: 'AT', utcOffsetMinutes: 60 }
    await feed({ pageSize: 3, locale: 'de-at', client })
    const [served] = await servedFeeds()
    const { pins, context, versions, experiments } = servedJson(served!)
    expect(pins.map(({ pinId, retrievalRank }) => [pinId, retrievalRank])).toEqual([
      ['pin-7', 7],
      ['pin-6', 6],
      ['pin-5', 5],
    ])
    expect(pins[0]).toMatchObject({ sourceRanks: { odd: 3 }, sourceScores: { odd: 0.125 }, propensity: 1, moves: [] })
    expect(pins[1]).toMatchObject({ sourceRanks: { even: 3 }, retrievalScore: expect.closeTo(1 / 7) as number })
    expect(context).toMatchObject({ locale: 'de-AT', pageSize: 3, client, onlySources: [], freshness: 'UNSPECIFIED' })
    expect(versions).toMatchObject({ rankingPlan: 'fake-plan', embeddings: [{ modelId: 'pin2vec', version: 'v1' }] })
    expect(experiments).toEqual([])
  })

  test('says what the request asked for, and of the pins that it named how many', async () => {
    const { feed, tellCatalogue, servedFeeds } = await aBlender({ pins: manyPins(8) })
    const known = manyPins(8).map((pinId) => aPin(pinId, { creatorId: 'cara' }))
    await tellCatalogue(known.map(({ kind, pin }) => ({ kind, pin: { ...pin, createdAtMs: startMs - 1 } })))
    const filter = FeedFilter.fromPartial({
      creatorIds: ['cara'],
      maxAgeMs: 3_600_000,
      excludePinIds: ['pin-1', 'pin-2'],
      seenPinIds: ['pin-3'],
      allowedSafetyLabels: ['nudity'],
      userAge: 0,
    })
    await feed({ filter, onlySources: ['even'], withoutSources: ['odd'] })
    await feed({})
    const [asked, plain] = await servedFeeds()
    const answer = explainServed(asked!, '')
    expect(answer).toMatchObject({ excludedPins: 2, seenPins: 1, onlySources: ['even'], withoutSources: ['odd'] })
    expect(answer.filter).toEqual({ ...filter, excludePinIds: [], seenPinIds: [] })
    expect(explainServed(plain!, '')).toMatchObject({ filter: undefined, excludedPins: 0, onlySources: [] })
  })

  test('samples candidates that were not shown, with the stage, the reason, the sources and the probability of the sample', async () => {
    const { feed, services, servedFeeds } = await aBlender({ pins: manyPins(60), config: { maxUnshownCandidates: 8 } })
    addThirdSource(services)
    await feed({ pageSize: 5, evaluation: Evaluation.fromPartial({ amongPinIds: manyPins(60).slice(0, 20) }) })
    const unshown = servedJson((await servedFeeds())[0]!).unshown!
    expect(unshown.reasons).toEqual([{ stage: 'page', reason: 'below-page', candidates: 15, sampled: 8 }])
    expect(unshown.pins).toHaveLength(8)
    for (const pin of unshown.pins) {
      const number = Number(pin.pinId.slice(4))
      expect(pin).toMatchObject({ stage: 'page', reason: 'below-page', samplingProbability: 8 / 15, utility: number })
      expect(pin.retrievalRank).toBe(number)
      expect(pin.sourceRanks).toEqual({
        [number % 2 === 0 ? 'even' : 'odd']: Math.floor(number / 2),
        ...(number === 3 && { third: 0 }),
      })
    }
  })

  test('names the filter that removed a candidate, which has no utility', async () => {
    const { feed, storeUser, servedFeeds, services } = await aBlender({ pins: manyPins(6) })
    await storeUser('ada', [anEngagement('hide', 'pin-2', startMs - 1_000)])
    // A candidate service that ignores what the request excludes.
    services.retrieve = (request) => foundPins(services.pins, { ...request, excludePinIds: [] })
    await feed({ userId: 'ada', pageSize: 2 })
    const { unshown } = servedJson((await servedFeeds())[0]!)
    expect(unshown!.pins.find(({ pinId }) => pinId === 'pin-2')).toMatchObject({
      stage: 'hidden',
      reason: 'hidden',
      samplingProbability: 1,
      utility: null,
      sources: ['even'],
    })
  })

  test("contains the version of the fold that made the user's state; 0 without state", async () => {
    const { feed, storeUser, servedFeeds } = await aBlender()
    await feed({ userId: 'ada' })
    await storeUser('ada', [anEngagement('click', 'pin-2', startMs - 1_000)])
    await feed({ userId: 'ada' })
    const folds = (await servedFeeds()).map((served) => served.versions?.userStateFold)
    expect(folds).toEqual([0, userFoldVersion])
  })

  test('contains no sample if the setting is 0', async () => {
    const { feed, servedFeeds } = await aBlender({ config: { maxUnshownCandidates: 0 } })
    await feed({ pageSize: 5 })
    expect(servedJson((await servedFeeds())[0]!).unshown).toBeNull()
  })

  test('contains the moves of ordering: pins that were shown before come last, whatever their utility', async () => {
    const { feed, servedFeeds } = await aBlender({ pins: manyPins(4) })
    await feed({ pageSize: 2 })
    await feed({ pageSize: 4 })
    const pins = servedJson((await servedFeeds())[1]!).pins
    expect(pins.map(({ pinId }) => pinId)).toEqual(['pin-1', 'pin-0', 'pin-2', 'pin-3'])
    expect(pins.map(({ moves }) => moves)).toEqual([
      [],
      [],
      [{ why: 'shown-before-last/shown-before', from: 1, to: 2 }],
      [{ why: 'shown-before-last/shown-before', from: 0, to: 3 }],
    ])
  })

  test.each([
    [{ platform: 'x'.repeat(65) }, /^client\.platform: has 65 characters; at most 64/],
    [{ utcOffsetMinutes: 1_441 }, /^client\.utc_offset_minutes: is 1441/],
  ])('the request is rejected by field if its client is %o', async (client, message) => {
    const { feed } = await aBlender()
    await expect(feed({ client: ClientContext.fromPartial(client) })).rejects.toThrow(message)
  })

  test('a source that names a candidate twice, or has too few scores, is an error of the candidate service', async () => {
    for (const [indices, scores] of [
      [
        [0, 0],
        [1, 1],
      ],
      [[0, 1], [1]],
    ] as const) {
      const { feed, services, records } = await aBlender()
      services.retrieve = (request) => ({
        ...foundPins(services.pins, request),
        sources: [
          {
            source: 'odd',
            candidateIndices: bytesOf(Uint16Array.from(indices)),
            scores: bytesOf(Float32Array.from(scores)),
            status: SourceStatus.ANSWERED,
            seeds: new Uint8Array(),
          },
        ],
      })
      await feed({})
      expect(records[0]!.stages.find(({ stage }) => stage === 'retrieve')).toMatchObject({ error: 'CALL_INTERNAL' })
    }
  })
})
