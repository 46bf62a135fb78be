import { bytesOf, float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import {
  Degradation,
  Evaluation,
  FeedFilter,
  type GetFeedResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { FeedSeeds } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { ContractError } from '@freshet/contracts/errors'
import { asId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aBlender, anEngagement, aPin, manyPins, partitions, rankedPins, startMs } from '../blender.harness.ts'
import { foundColumns, foundCount, sourcesOf } from '../source-columns.ts'
import { decodeReserve, encodeReserve } from './reserve.ts'

const own = partitionOf('ada', partitions)
const idsOf = ({ items }: GetFeedResponse) => items.map(({ pinId }) => pinId)
/** The harness ranks `pin-299` first. */
const pinsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => `pin-${first - i}`)

describe('a next page', () => {
  test('comes from the reserve, without retrieval', async () => {
    const { feed, services } = await aBlender()
    const first = await feed({ pageSize: 20 })
    const second = await feed({ pageSize: 30, pageToken: first.nextPageToken, explain: true })
    const third = await feed({ pageSize: 10, pageToken: second.nextPageToken })
    expect([services.retrieved.length, services.ranked.length]).toEqual([1, 3])
    expect([...idsOf(first), ...idsOf(second), ...idsOf(third)]).toEqual(pinsFrom(299, 60))
    expect(second.items[0]).toEqual({
      pinId: 'pin-279',
      position: 20,
      utility: 279,
      sources: ['odd'],
      seenAgain: false,
    })
    expect(third.items.map(({ position }) => position)).toEqual(Array.from({ length: 10 }, (_, i) => 50 + i))
    expect([second, third].map(({ degradation }) => degradation)).toEqual([Degradation.NONE, Degradation.NONE])
    expect(second.stages.map(({ stage }) => stage)).toContain('next-page/reserve')
  })

  test('is the same on any other blender', async () => {
    const one = await aBlender()
    const two = await aBlender({ beside: one })
    const { nextPageToken: pageToken } = await one.feed()
    expect(idsOf(await two.feed({ pageToken }))).toEqual(pinsFrom(274, 25))
    expect(two.services.retrieved).toEqual([])
    expect(idsOf(await one.feed({ pageToken }))).toEqual(pinsFrom(249, 25))
  })

  test('is ordered by new scores of the best pins of the reserve; the others stay behind them', async () => {
    const { feed, services } = await aBlender({ config: { pagesRankedAgain: 2 } })
    const { nextPageToken } = await feed({ pageSize: 10 })
    services.rank = reversed
    const second = await feed({ pageSize: 10, pageToken: nextPageToken })
    // The best 20 of the reserve are 289 to 270.
    expect(services.ranked[1]!.pinIds).toEqual(pinsFrom(289, 20))
    expect(idsOf(second)).toEqual(pinsFrom(279, 10).toReversed())
    expect(second.items[0]!.utility).toBe(-270)
    expect(second.degradation).toBe(Degradation.NONE)
    const third = await feed({ pageSize: 10, pageToken: second.nextPageToken })
    expect(services.ranked[2]!.pinIds).toEqual([...pinsFrom(289, 10), ...pinsFrom(269, 10)])
    expect(idsOf(third)).toEqual(pinsFrom(269, 10).toReversed())
    expect(services.retrieved).toHaveLength(1)
  })

  test('is ranked with the state of now, and with scores and ranks of retrieval as at the first time', async () => {
    const { feed, services, storeUser } = await aBlender()
    const { nextPageToken: pageToken } = await feed()
    await storeUser('ada', [anEngagement('impression', 'pin-299')])
    await feed({ pageToken })
    const [first, second] = services.ranked
    expect(second!.userState.length).toBeGreaterThan(first!.userState.length)
    expect(second!.withFeatures).toBe(true)
    expect(second!.pinIds).toHaveLength(75)
    const before = retrievedAs(first!)
    for (const [pinId, found] of retrievedAs(second!)) expect(found).toEqual(before.get(pinId))
  })

  test('keeps the order of the reserve if the ranker does not answer, and reports it', async () => {
    const { feed, services, servedFeeds } = await aBlender()
    const { nextPageToken: pageToken } = await feed()
    services.rank = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'no ranker'))
    const second = await feed({ pageToken })
    expect(idsOf(second)).toEqual(pinsFrom(274, 25))
    expect(second).toMatchObject({ degradation: Degradation.PARTIAL, reasons: ['CALL_UNAVAILABLE'] })
    expect((await servedFeeds())[1]).toMatchObject({ featureNames: [], modelVersion: '' })
    services.rank = () => new Promise(() => {})
    const third = await feed({ pageToken: second.nextPageToken })
    expect(idsOf(third)).toEqual(pinsFrom(249, 25))
    expect(third).toMatchObject({ degradation: Degradation.PARTIAL, reasons: ['STAGE_TIMED_OUT'] })
    expect(services.retrieved).toHaveLength(1)
  })

  test('explores the pins that were ranked again; the others keep what was added', async () => {
    const { feed, services, servedFeeds } = await aBlender({
      config: { explorationOptimism: 1, explorationChance: 0, pagesRankedAgain: 1 },
    })
    const unsure = (deviation: number) => (request: RankRequest) => ({
      ...rankedPins(request),
      utilityDeviations: bytesOf(new Float32Array(request.pinIds.length).fill(deviation)),
    })
    services.rank = unsure(4)
    const first = await feed()
    services.rank = unsure(2)
    const second = await feed({ pageToken: first.nextPageToken })
    services.rank = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'no ranker'))
    await feed({ pageToken: second.nextPageToken })
    const added = (await servedFeeds()).map(({ exploration }) => [...new Set(float32Column(exploration))])
    expect(added).toEqual([[4], [2], [4]])
  })

  test('is recorded as a ranked page, with its sources and ranks in retrieval', async () => {
    const { feed, servedFeeds } = await aBlender()
    const { nextPageToken: pageToken } = await feed()
    await feed({ pageToken })
    const [, second] = await servedFeeds()
    expect(second).toMatchObject({
      firstPosition: 25,
      pinIds: pinsFrom(274, 25),
      sources: ['even', 'odd'],
      featureNames: ['number', 'half'],
      actions: ['click', 'save'],
      modelVersion: 'fake-1',
      versions: { rankingPlan: 'fake-plan' },
    })
    expect([...float32Column(second!.features)].filter((_, at) => at % 2 === 0)).toEqual(
      pinsFrom(274, 25).map((pinId) => Number(pinId.slice(4))),
    )
    expect([...uint16Column(second!.sourceRanks)].slice(0, 3)).toEqual([137, 136, 136])
    expect([...float32Column(second!.sourceScores)][0]).toBeCloseTo(1 / 275)
    expect([...float32Column(second!.utilities)]).toEqual(pinsFrom(274, 25).map((pinId) => Number(pinId.slice(4))))
    expect([...uint16Column(second!.retrievalRanks)].slice(0, 3)).toEqual([274, 273, 272])
    expect(second!.versions?.embeddings).toEqual([{ modelId: 'pin2vec', version: 'v1' }])
  })

  test('changes with new actions of the user, and not with impressions', async () => {
    const { feed, services, storeUser } = await aBlender()
    const liked = anEngagement('save', 'pin-3', startMs - 50_000)
    await storeUser('ada', [liked])
    const first = await feed()
    await storeUser('ada', [liked, anEngagement('impression', 'pin-270', startMs - 40_000)], 2)
    const second = await feed({ pageToken: first.nextPageToken })
    expect(services.retrieved).toHaveLength(1)
    expect(idsOf(second)).toEqual([...pinsFrom(274, 4), ...pinsFrom(269, 21)])
    await storeUser('ada', [liked, anEngagement('hide', 'pin-248', startMs - 30_000)], 3)
    const third = await feed({ pageToken: second.nextPageToken })
    expect(services.retrieved).toHaveLength(2)
    expect(idsOf(third)).toEqual(expect.not.arrayContaining(['pin-248']))
    expect(third.items[0]!.position).toBe(50)
    expect(third.items.some(({ pinId }) => [...idsOf(first), ...idsOf(second)].includes(pinId))).toBe(false)
    await feed({ pageToken: third.nextPageToken })
    expect(services.retrieved).toHaveLength(2)
  })

  test.each([
    ['tokens to wait for', { after: [`e${own}-0`] }],
    ['another locale', { locale: 'de' }],
    ['another filter', { filter: FeedFilter.fromPartial({ topicIds: ['garden'] }) }],
    ['another source', { onlySources: ['odd'] }],
    ['a dry run', { evaluation: Evaluation.fromPartial({ dryRun: true }) }],
  ])('with %s is made from scratch', async (_, change) => {
    const { feed, services, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('save', 'pin-3')])
    const { nextPageToken: pageToken } = await feed()
    await feed({ pageToken, ...change })
    expect(services.retrieved).toHaveLength(2)
  })

  test('with another greatest age is made from scratch; with the same one the reserve fits, although time has passed', async () => {
    const { feed, services, clock, tellCatalogue } = await aBlender()
    await tellCatalogue(manyPins(300).map((pinId) => aPin(pinId, { createdAtMs: startMs })))
    const filter = (maxAgeMs: number) => ({ filter: FeedFilter.fromPartial({ maxAgeMs }) })
    const { nextPageToken: pageToken } = await feed(filter(3_600_000))
    await clock.advance(60_000)
    await feed({ pageToken, ...filter(3_600_000) })
    expect(services.retrieved).toHaveLength(1)
    await feed({ pageToken, ...filter(7_200_000) })
    expect(services.retrieved).toHaveLength(2)
  })

  test('of an older session, or of one whose reserve has expired, is made from scratch', async () => {
    const { feed, services, clock } = await aBlender({ config: { reserveTtlMs: 60_000 } })
    const old = await feed()
    await clock.advance(1_000)
    const young = await feed()
    const fourth = await feed({ pageToken: old.nextPageToken })
    expect(services.retrieved).toHaveLength(3)
    expect(fourth.items[0]).toMatchObject({ position: 25, pinId: 'pin-249' })
    await clock.advance(61_000)
    await feed({ pageToken: young.nextPageToken })
    expect(services.retrieved).toHaveLength(4)
  })

  test('has no pin that was deleted since it was ranked, and is filled from the rest', async () => {
    const { feed, services, tellCatalogue } = await aBlender()
    const { nextPageToken: pageToken } = await feed()
    await tellCatalogue([{ kind: 'delete', pinId: asId('pin-274') }])
    expect(idsOf(await feed({ pageToken }))).toEqual(pinsFrom(273, 25))
    expect(services.retrieved).toHaveLength(1)
  })

  test('is made from scratch if the reserve does not fill it, or holds nothing', async () => {
    for (const [maxReservePins, pages] of [
      [60, 3],
      [0, 1],
    ] as const) {
      const { feed, services } = await aBlender({ config: { maxReservePins } })
      const shown: string[] = []
      let pageToken = ''
      for (let page = 0; page < 6; page++) {
        const answer = await feed({ pageToken })
        shown.push(...idsOf(answer))
        pageToken = answer.nextPageToken
      }
      expect(shown).toEqual(pinsFrom(299, 150))
      expect(services.retrieved).toHaveLength(6 / pages)
    }
  })

  test('needs no reserve: without one, as with a state store that does not answer, the ladder makes the page', async () => {
    const { feed, faults } = await aBlender()
    const { nextPageToken: pageToken } = await feed()
    faults.store = (operation) =>
      operation === 'read page-reserve'
        ? Promise.reject(new ContractError('STORE_UNAVAILABLE', 'no Redis'))
        : Promise.resolve()
    expect(await feed({ pageToken })).toMatchObject({ degradation: Degradation.NONE })
    faults.store = () => Promise.reject(new ContractError('STORE_UNAVAILABLE', 'no Redis'))
    expect(await feed({ pageToken })).toMatchObject({ degradation: Degradation.LAST_GOOD })
  })

  test('a law: any pages, refreshes and actions: positions continue, and no pin comes twice before each came once', async () => {
    const step = fc.record({
      what: fc.constantFrom('next', 'next', 'next', 'refresh', 'save'),
      pageSize: fc.integer({ min: 1, max: 40 }),
    })
    const law = fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 14 }),
      fc.integer({ min: 0, max: 80 }),
      async (steps, maxReservePins) => {
        const { feed, storeUser } = await aBlender({ pins: manyPins(200), config: { maxReservePins } })
        const shown = new Set<string>()
        const saves: ReturnType<typeof anEngagement>[] = []
        let [pageToken, position] = ['', 0]
        for (const { what, pageSize } of steps) {
          if (what === 'save') {
            saves.push(anEngagement('save', `pin-${900 + saves.length}`, startMs - 60_000 + saves.length))
            await storeUser('ada', saves, saves.length)
            continue
          }
          if (what === 'refresh' || pageToken === '') [pageToken, position] = ['', 0]
          const answer = await feed({ pageToken, pageSize })
          for (const item of answer.items) {
            expect(item.position).toBe(position++)
            expect(shown.has(item.pinId)).toBe(item.seenAgain)
            if (item.seenAgain) expect(shown.size).toBe(200)
            shown.add(item.pinId)
          }
          pageToken = answer.nextPageToken
        }
      },
    )
    await fc.assert(law, { seed: 3, numRuns: 40 })
  })
})

/** A ranker that prefers the pins that the harness ranks last. */
function reversed(request: RankRequest) {
  const answer = rankedPins(request)
  return { ...answer, utilities: bytesOf(float32Column(answer.utilities).map((utility) => -utility)) }
}

/** For each pin of a request to the ranker: what retrieval knew of it. Each was found by one source. */
function retrievedAs(request: RankRequest) {
  const [scores, sourceScores] = [float32Column(request.retrievalScores), float32Column(request.sourceScores)]
  const [ranks, sourceRanks] = [uint16Column(request.retrievalRanks), uint16Column(request.sourceRanks)]
  const foundBy = uint32Column(request.foundBy)
  expect([scores, sourceScores, ranks, sourceRanks, foundBy].map(({ length }) => length)).toEqual(
    Array(5).fill(request.pinIds.length),
  )
  return new Map(
    request.pinIds.map((pinId, at) => [pinId, [scores, ranks, foundBy, sourceRanks, sourceScores].map((of) => of[at])]),
  )
}

describe('a reserve', () => {
  /** What 5 sources found: a list of bits, and a rank and a score for each. */
  const found = (size: number) =>
    fc
      .array(fc.nat(31), { minLength: size, maxLength: size })
      .chain((bits) => {
        const count = foundCount(Uint32Array.from(bits))
        const ranks = fc.array(fc.nat(2_000), { minLength: count, maxLength: count })
        const scores = fc.array(fc.float({ noNaN: true }), { minLength: count, maxLength: count })
        return fc.tuple(fc.constant(bits), ranks, scores)
      })
      .map(([bits, ranks, scores]) => ({
        foundBy: Uint32Array.from(bits),
        ranks: Uint16Array.from(ranks),
        scores: Float32Array.from(scores),
      }))
  const reserve = fc.nat(50).chain((size) => {
    const floats = fc
      .array(fc.float({ noNaN: true }), { minLength: size, maxLength: size })
      .map((all) => Float32Array.from(all))
    return fc.record({
      startedAtMs: fc.integer({ min: 1, max: 4_000_000_000_000 }),
      acted: fc.nat(0xffffffff),
      terms: fc.nat(0xffffffff),
      exhausted: fc.boolean(),
      pinIds: fc.array(fc.string({ minLength: 1 }), { minLength: size, maxLength: size }),
      utilities: floats,
      exploration: size === 0 ? fc.constant(null) : fc.option(floats),
      retrievalScores: floats,
      retrievalRanks: fc.array(fc.nat(2_000), { minLength: size, maxLength: size }).map((all) => Uint16Array.from(all)),
      boards:
        size === 0
          ? fc.constant(null)
          : fc.option(
              fc.array(fc.nat(0xffffffff), { minLength: size, maxLength: size }).map((all) => Uint32Array.from(all)),
            ),
      sourceNames: fc.array(fc.string({ minLength: 1 }), { minLength: 5, maxLength: 5 }),
      found: found(size),
      embeddings: fc.array(fc.record({ modelId: fc.string(), version: fc.string() }), { maxLength: 2 }),
      seeds: fc.option(
        fc.constant<FeedSeeds>({
          ...{ pinIds: ['p'], actions: Uint8Array.of(3), occurredAtMs: bytesOf(Float64Array.of(1)) },
          bySource: [Uint8Array.of(0), new Uint8Array(0)],
        }),
        { nil: undefined },
      ),
    })
  })

  test('a law: decoding gives what was encoded', () => {
    fc.assert(
      fc.property(reserve, (given) => {
        expect(decodeReserve(encodeReserve(given))).toEqual(given)
      }),
    )
  })

  test('a law: its sources give the same ranks and scores for any of its pins', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    fc.assert(
      fc.property(fc.nat(40).chain(found), (given) => {
        const columns = { foundBy: given.foundBy, foundBySource: sourcesOf(names, given) }
        expect(foundColumns(columns, Int32Array.from(given.foundBy.keys()))).toEqual(given)
      }),
    )
  })

  test('of which columns do not fit each other is none', () => {
    const given = fc.sample(reserve, { seed: 5, numRuns: 20 }).find(({ found: { ranks } }) => ranks.length > 1)!
    const { found: whole } = given
    expect(decodeReserve(encodeReserve({ ...given, found: { ...whole, ranks: whole.ranks.slice(1) } }))).toBeNull()
    expect(decodeReserve(encodeReserve({ ...given, found: { ...whole, foundBy: new Uint32Array(0) } }))).toBeNull()
    expect(decodeReserve(encodeReserve({ ...given, sourceNames: [] }))).toBeNull()
    expect(decodeReserve(encodeReserve({ ...given, boards: new Uint32Array(given.pinIds.length + 1) }))).toBeNull()
  })

  test('without boards has the layout that the release before reads', () => {
    const [given] = fc.sample(reserve, { seed: 1, numRuns: 1 })
    const [without, withBoards] = [null, Uint32Array.of(7)].map((boards) => encodeReserve({ ...given!, boards }))
    expect([without![0], withBoards![0], withBoards!.length - without!.length]).toEqual([3, 4, 4])
    expect([...withBoards!.subarray(24)]).toEqual([...without!.subarray(20)])
  })

  test('other bytes are none', () => {
    const bytes = encodeReserve(fc.sample(reserve, { seed: 1, numRuns: 1 })[0]!)
    expect(decodeReserve(null)).toBeNull()
    expect(decodeReserve(new Uint8Array(0))).toBeNull()
    expect(decodeReserve(Uint8Array.from(bytes, (byte, at) => (at === 0 ? 9 : byte)))).toBeNull()
    // As if it ended within its boards.
    expect(decodeReserve(Uint8Array.of(4, 0, 200, 0, ...bytes.subarray(4)).subarray(0, 100))).toBeNull()
  })
})
