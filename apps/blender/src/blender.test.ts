import { firstLog, logTag, moveFollowedLog, storedPosition } from '@freshet/contracts/followed-log'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import { userFoldVersion } from '@freshet/contracts/codecs/user-tail'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import {
  Consistency,
  Degradation,
  Depth,
  Evaluation,
  FeedFilter,
  Freshness,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { SourceStatus } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { hash32 } from '@freshet/domain/hash'
import { asId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { defaultUserLimits, newUserState } from '@freshet/domain/user-state'
import {
  aBlender,
  aFeedRequest,
  anEngagement,
  aPin,
  foundPins,
  manyPins,
  partitions,
  rankedPins,
  startMs,
} from './blender.harness.ts'

const idsOf = ({ items }: { readonly items: readonly { readonly pinId: string }[] }) => items.map(({ pinId }) => pinId)
const never = () => new Promise<never>(() => {})
const unavailable = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'connection refused'))
/** As `rankedPins`, with a deviation of each utility. */
const unsure = (request: RankRequest, deviationOf: (pinId: string) => number) => ({
  ...rankedPins(request),
  utilityDeviations: bytesOf(Float32Array.from(request.pinIds, deviationOf)),
})
const storeDown = () => Promise.reject(new ContractError('STORE_UNAVAILABLE', 'no Redis'))
const own = partitionOf('ada', partitions)
const other = (own + 1) % partitions

describe('a feed', () => {
  test('contains the pins of highest utility, with positions and sources, and is not degraded', async () => {
    const { feed } = await aBlender()
    const answer = await feed({ pageSize: 4 })
    expect(answer).toMatchObject({
      degradation: Degradation.NONE,
      reasons: [],
      freshness: Freshness.UNSPECIFIED,
      stages: [],
      items: [
        { pinId: 'pin-299', position: 0, utility: 299, sources: ['odd'] },
        { pinId: 'pin-298', position: 1, utility: 298, sources: ['even'] },
        { pinId: 'pin-297', position: 2, utility: 297, sources: ['odd'] },
        { pinId: 'pin-296', position: 3, utility: 296, sources: ['even'] },
      ],
    })
    expect(answer.feedId).toMatch(/^f[0-9a-z]{23}$/)
  })

  test('has 25 pins unless the request says otherwise', async () => {
    const { feed } = await aBlender()
    expect((await feed()).items).toHaveLength(25)
    expect((await feed({ pageSize: 100 })).items).toHaveLength(100)
  })

  test('orders pins of equal utility the same way on every instance, whatever their order of retrieval', async () => {
    const orderOf = async (pins: readonly string[]) => {
      const { feed, services } = await aBlender({ pins })
      services.rank = (request) => ({ ...rankedPins(request), utilities: new Uint8Array(request.pinIds.length * 4) })
      return idsOf(await feed({ pageSize: 100 }))
    }
    const pins = manyPins(100)
    expect(await orderOf(pins)).toEqual(await orderOf([...pins].reverse()))
    expect(await orderOf(pins)).not.toEqual(pins)
  })

  test('explains what each stage did when asked to', async () => {
    const { feed, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('hide', 'pin-299')])
    const { stages } = await feed({
      explain: true,
      pageSize: 10,
    })
    expect(stages.map(({ stage }) => stage)).toEqual([
      'user-state',
      'await-tokens',
      'retrieve',
      'itself',
      'hidden',
      'catalogue',
      'availability',
      'safety-label',
      'min-age',
      'muted-word',
      'own-pin',
      'requested',
      'already-saved',
      'previously-served',
      'seen',
      'rank',
      'explore',
      'by-utility',
      'same-picture',
      'shown-before-last',
      'ordering-pool',
      'fatigue',
      'diversity',
      'spacing',
      'caps',
      'mixing',
      'fresh-floor',
      'draw',
      'keep-last-good',
      'keep-reserve',
      'page',
    ])
    expect(stages.find(({ stage }) => stage === 'page')).toMatchObject({
      candidatesIn: 299,
      candidatesOut: 10,
      removed: { 'below-page': 289 },
    })
    expect(stages.every(({ error }) => error === '')).toBe(true)
  })

  test('an evaluation has its own pipeline: it filters by its list of pins, and keeps no last good feed', async () => {
    const { feed, services } = await aBlender()
    const evaluation = Evaluation.fromPartial({ excludePinIds: ['pin-1'] })
    const { stages } = await feed({ pageSize: 10, explain: true, evaluation })
    const names = stages.map(({ stage }) => stage)
    expect(names.slice(2, 5)).toEqual(['retrieve', 'asked-about', 'itself'])
    expect(names).not.toContain('keep-last-good')
    services.retrieve = unavailable
    expect(await feed({ pageSize: 10 })).toMatchObject({ degradation: Degradation.POPULAR })
  })

  test('sends the services what the user did, follows and blocked', async () => {
    const { feed, storeUser, services } = await aBlender()
    await storeUser('ada', [
      anEngagement('save', 'pin-3', startMs - 3_000),
      anEngagement('click', 'pin-4', startMs - 2_000),
      anEngagement('hide', 'pin-5', startMs - 1_000),
      anEngagement('follow', { kind: 'creator', creatorId: asId('cleo') }, startMs - 900),
      anEngagement('block', { kind: 'topic', topicId: asId('tax') }, startMs - 800),
    ])
    await feed({ locale: 'de-AT', sessionId: 's1', atMs: startMs + 7 })
    expect(services.retrieved[0]).toMatchObject({
      userId: 'ada',
      sessionId: 's1',
      locale: 'de-AT',
      atMs: startMs + 7,
      recent: { pinIds: ['pin-3', 'pin-4', 'pin-5'] },
      follows: { creatorIds: ['cleo'] },
      blocks: { topicIds: ['tax'] },
      limit: 300,
    })
    expect(services.retrieved[0]!.excludePinIds).toEqual(['pin-5', 'pin-3'])
    const seen = uint32Column(services.retrieved[0]!.shown!.seen)
    for (const pinId of ['pin-3', 'pin-4', 'pin-5']) expect(seen).toContain(hash32(pinId))
    expect(services.ranked[0]!.userState.length).toBeGreaterThan(10)
    expect(services.ranked[0]).toMatchObject({ userId: 'ada', locale: 'de-AT', atMs: startMs + 7 })
  })

  test('sends the ranker the rank and score of each candidate in retrieval and in each source', async () => {
    const { feed, storeUser, services } = await aBlender()
    await storeUser('ada', [anEngagement('hide', 'pin-1')])
    services.retrieve = async (request) =>
      foundPins(['pin-0', 'pin-1', 'pin-2', 'pin-3'], { ...request, excludePinIds: [] })
    await feed({ sessionId: 's1' })
    const { pinIds, sessionId, sources, ...ranked } = services.ranked[0]!
    expect({ pinIds, sessionId, sources }).toEqual({
      pinIds: ['pin-0', 'pin-2', 'pin-3'],
      sessionId: 's1',
      sources: ['even', 'odd'],
    })
    expect([...uint16Column(ranked.retrievalRanks)]).toEqual([0, 2, 3])
    expect([...uint32Column(ranked.foundBy)]).toEqual([1, 1, 2])
    expect([...uint16Column(ranked.sourceRanks)]).toEqual([0, 1, 1])
    expect([...float32Column(ranked.sourceScores)]).toEqual([1, Math.fround(1 / 3), 0.25])
  })

  test('reads the generation of user state that serves', async () => {
    const { feed, store, services, clock } = await aBlender()
    await feed()
    expect(services.retrieved[0]!.recent).toBeUndefined()
    const { aUser } = { aUser: await aBlender() }
    await aUser.storeUser('ada', [anEngagement('save', 'pin-3')])
    const { values } = await aUser.store.read('user.1', own, ['ada'])
    await store.put('user.2', own, { key: 'ada', value: values[0]!, ttlMs: null })
    await store.movePointer('serving.user', null, '2')
    await clock.advance(1_000)
    await feed()
    await feed()
    expect(services.retrieved.at(-1).recent).toMatchObject({ pinIds: ['pin-3'] })
  })
})

describe('no pin twice', () => {
  test('across pages: positions continue, all pages together contain every pin once, and the last has no token', async () => {
    const { feed } = await aBlender({ pins: manyPins(95) })
    const seen: string[] = []
    let pageToken = ''
    do {
      const answer = await feed({ pageToken, pageSize: 20 })
      expect(answer.items.map(({ position }) => position)).toEqual(answer.items.map((_, i) => seen.length + i))
      seen.push(...idsOf(answer))
      pageToken = answer.nextPageToken
    } while (pageToken !== '')
    expect(new Set(seen)).toEqual(new Set(manyPins(95)))
    expect(seen).toHaveLength(95)
  })

  test('across refreshes within the window, and again after it', async () => {
    const { feed, clock } = await aBlender({ config: { servedWindowMs: 600_000 } })
    const first = idsOf(await feed())
    await clock.advance(599_000)
    const second = idsOf(await feed())
    expect(second.filter((pinId) => first.includes(pinId))).toEqual([])
    await clock.advance(2_000)
    expect(idsOf(await feed())).toEqual(first)
  })

  test('from a process without memory: the served pins are in the state store before the answer', async () => {
    const { feed, store } = await aBlender()
    const first = await feed()
    const { values } = await store.read('served', own, ['ada'])
    expect(values[0]).toHaveLength(first.items.length * 12)
    const another = await aBlender()
    await another.store.put('served', own, { key: 'ada', value: values[0]!, ttlMs: null })
    const second = await another.feed()
    expect(idsOf(second).filter((pinId) => idsOf(first).includes(pinId))).toEqual([])
  })

  test('among simultaneous requests', async () => {
    const { feed } = await aBlender()
    const answers = await Promise.all(Array.from({ length: 6 }, () => feed()))
    const all = answers.flatMap(idsOf)
    expect(all).toHaveLength(150)
    expect(new Set(all).size).toBe(150)
  })

  test('while the state store rejects writes: this process remembers, and reports that a stage was left out', async () => {
    const { feed, faults } = await aBlender()
    faults.store = (operation) => (operation === 'append served' ? storeDown() : Promise.resolve())
    const first = await feed()
    expect(first).toMatchObject({ degradation: Degradation.PARTIAL, reasons: ['STORE_UNAVAILABLE'] })
    const second = await feed()
    expect(second.items).toHaveLength(25)
    expect(idsOf(second).filter((pinId) => idsOf(first).includes(pinId))).toEqual([])
  })

  test('A7: the search skips all pins that a user was served, however many', async () => {
    const { feed, services } = await aBlender({ pins: manyPins(900) })
    for (let i = 0; i < 9; i++) expect((await feed({ pageSize: 100 })).items).toHaveLength(100)
    expect(services.retrieved.at(-1).limit).toBe(300)
    expect(services.retrieved.at(-1).shown!.served.byteLength).toBeGreaterThanOrEqual(800 * 4)
  })

  test('A7: a user who was shown every pin gets those shown longest ago, and the answer says so', async () => {
    const { feed, clock } = await aBlender({ pins: manyPins(50) })
    const first = await feed({ pageSize: 25 })
    await clock.advance(60_000)
    const second = await feed({ pageSize: 20 })
    expect([first.degradation, second.degradation]).toEqual([Degradation.NONE, Degradation.NONE])
    expect([...first.items, ...second.items].some(({ seenAgain }) => seenAgain)).toBe(false)
    await clock.advance(60_000)
    const third = await feed({ pageSize: 25 })
    expect(third).toMatchObject({ degradation: Degradation.EXHAUSTED, reasons: ['FEED_ALL_SEEN'] })
    expect(third.items.map(({ seenAgain }) => seenAgain)).toEqual([
      ...new Array<boolean>(5).fill(false),
      ...new Array<boolean>(20).fill(true),
    ])
    const again = third.items.slice(5).map(({ pinId }) => pinId)
    expect(again.every((pinId) => idsOf(first).includes(pinId))).toBe(true)
    await clock.advance(60_000)
    const fourth = await feed({ pageSize: 25 })
    expect(fourth.items.every(({ seenAgain }) => seenAgain)).toBe(true)
    const left = idsOf(first).filter((pinId) => !again.includes(pinId))
    expect(idsOf(fourth).slice(0, 5).sort()).toEqual([...left].sort())
    expect(new Set(idsOf(fourth).slice(5))).toEqual(new Set(idsOf(second)))
  })

  test('A7: the pages of a feed end when each pin has appeared once; the next first page starts again', async () => {
    const { feed } = await aBlender({ pins: manyPins(40) })
    const pagesOf = async () => {
      const pages = [await feed({ pageSize: 20 })]
      while (pages.at(-1).nextPageToken !== '')
        pages.push(await feed({ pageSize: 20, pageToken: pages.at(-1).nextPageToken }))
      return pages
    }
    const once = await pagesOf()
    expect(new Set(once.flatMap(idsOf)).size).toBe(40)
    expect(once.map(({ items }) => items.length)).toEqual([20, 20])
    expect((await feed({ pageSize: 20 })).items.every(({ seenAgain }) => seenAgain)).toBe(true)
  })

  test('A7: an answer that may show nothing says why', async () => {
    const { feed } = await aBlender({ pins: [] })
    expect(await feed()).toMatchObject({
      items: [],
      nextPageToken: '',
      degradation: Degradation.EXHAUSTED,
      reasons: ['FEED_NOTHING_ELIGIBLE'],
    })
  })

  test('A7: a short page has a next page while the sweep is not finished, and the sweep continues there', async () => {
    const { feed, services } = await aBlender({ pins: manyPins(10) })
    services.retrieve = (request) => ({ ...foundPins(services.pins, request), exhausted: false, sweptTo: 77 })
    const first = await feed({ pageSize: 20 })
    expect(first.items).toHaveLength(10)
    expect(first.nextPageToken).not.toBe('')
    await feed({ pageSize: 20, pageToken: first.nextPageToken })
    expect(services.retrieved.map(({ sweptTo }) => sweptTo)).toEqual([0, 77])
  })

  test('users do not influence each other', async () => {
    const { feed } = await aBlender()
    expect(idsOf(await feed({ userId: 'ada' }))).toEqual(idsOf(await feed({ userId: 'bob' })))
  })

  test('a law: whatever the order of requests, no user gets a pin twice before every pin once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            user: fc.constantFrom('ada', 'bob'),
            pageSize: fc.integer({ min: 1, max: 30 }),
            next: fc.boolean(),
          }),
          {
            minLength: 1,
            maxLength: 12,
          },
        ),
        async (asks) => {
          const { feed } = await aBlender({ pins: manyPins(120) })
          const served = new Map<string, Set<string>>()
          const tokens = new Map<string, string>()
          for (const { user, pageSize, next } of asks) {
            const pageToken = next ? (tokens.get(user) ?? '') : ''
            const answer = await feed({ userId: user, pageSize, pageToken })
            tokens.set(user, answer.nextPageToken)
            const before = served.get(user) ?? new Set()
            for (const { pinId, seenAgain } of answer.items) {
              expect(before.has(pinId)).toBe(seenAgain)
              if (!seenAgain) before.add(pinId)
              else expect(before.size).toBe(120)
            }
            served.set(user, before)
          }
        },
      ),
      { seed: 7, numRuns: 40 },
    )
  })
})

describe('filters', () => {
  test('hidden and reported pins never appear, even if the search returns them', async () => {
    const { feed, storeUser, services } = await aBlender()
    services.retrieve = (request) => foundPins(services.pins, { ...request, excludePinIds: [] })
    await storeUser('ada', [anEngagement('hide', 'pin-299'), anEngagement('report', 'pin-298', startMs - 5)])
    const answer = await feed({
      explain: true,
      pageSize: 100,
      evaluation: Evaluation.fromPartial({ allowRepeats: true }),
    })
    expect(idsOf(answer)).not.toContain('pin-299')
    expect(idsOf(answer)).not.toContain('pin-298')
    expect(answer.stages.find(({ stage }) => stage === 'hidden')!.removed).toEqual({ hidden: 1, reported: 1 })
  })

  test('the pin may appear again when the hide is withdrawn', async () => {
    const { feed, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('hide', 'pin-299'), anEngagement('unhide', 'pin-299', startMs - 5)])
    expect(idsOf(await feed({ evaluation: Evaluation.fromPartial({ allowRepeats: true }) }))).toContain('pin-299')
  })

  test('deleted pins and pins of blocked creators and topics never appear; a pin that is created again may', async () => {
    const { feed, storeUser, tellCatalogue } = await aBlender()
    await storeUser('ada', [
      anEngagement('block', { kind: 'creator', creatorId: asId('cleo') }),
      anEngagement('block', { kind: 'topic', topicId: asId('t6') }, startMs - 5),
    ])
    await tellCatalogue([
      { kind: 'delete', pinId: asId('pin-299') },
      aPin('pin-298', { creatorId: 'cleo' }),
      aPin('pin-297', { topics: ['t1', 't2', 't3', 't4', 't5', 't6'] }),
      aPin('pin-296', { creatorId: 'dora', topics: ['t1'] }),
      { kind: 'delete', pinId: asId('pin-295') },
      aPin('pin-295'),
    ])
    const answer = await feed({ explain: true, pageSize: 3 })
    expect(idsOf(answer)).toEqual(['pin-296', 'pin-295', 'pin-294'])
    expect(answer.stages.find(({ stage }) => stage === 'catalogue')!.removed).toEqual({
      deleted: 1,
      'blocked-creator': 1,
      'blocked-topic': 1,
    })
  })

  describe('A9 · pins that were never in the catalogue', () => {
    const closed = { showUnlistedPins: false }

    test('appear on no surface until the catalogue has them, and disappear when they are deleted', async () => {
      const { feed, related, tellCatalogue } = await aBlender({ pins: manyPins(4), config: closed })
      await tellCatalogue([aPin('pin-1'), aPin('pin-2')])
      const answer = await feed({ explain: true, evaluation: Evaluation.fromPartial({ dryRun: true }) })
      expect(idsOf(answer)).toEqual(['pin-2', 'pin-1'])
      expect(answer.stages.find(({ stage }) => stage === 'catalogue')!.removed).toEqual({ 'not-in-catalogue': 2 })
      expect(idsOf(await related())).toEqual(['pin-2', 'pin-1'])
      await tellCatalogue([aPin('pin-3'), { kind: 'delete', pinId: asId('pin-1') }])
      expect(idsOf(await feed())).toEqual(['pin-3', 'pin-2'])
    })

    test('appear on no rung of the ladder: neither among popular pins nor in a last good feed', async () => {
      const { blender, feed, related, services, tellCatalogue } = await aBlender({ pins: manyPins(4), config: closed })
      await tellCatalogue([aPin('pin-1'), aPin('pin-2')])
      await blender.refreshPopular(100)
      await feed({ pageSize: 1 })
      await tellCatalogue([{ kind: 'delete', pinId: asId('pin-1') }])
      services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'away'))
      expect(idsOf(await feed())).toEqual([])
      expect(idsOf(await feed({ userId: 'nobody' }))).toEqual(['pin-2'])
      expect(idsOf(await related())).toEqual(['pin-2'])
    })

    test('appear if the setting says that there is no catalogue, unless they were deleted', async () => {
      const { feed, tellCatalogue } = await aBlender({ pins: manyPins(3), config: { showUnlistedPins: true } })
      await tellCatalogue([{ kind: 'delete', pinId: asId('pin-1') }])
      expect(idsOf(await feed())).toEqual(['pin-2', 'pin-0'])
    })
  })

  describe('A10 · locale', () => {
    const catalogue = [
      aPin('pin-0', { locale: 'de-DE' }),
      aPin('pin-1', { locale: 'en-US' }),
      aPin('pin-2', { locale: 'en_GB' }),
      aPin('pin-3'),
    ]

    test.each([
      ['de', ['pin-3', 'pin-0'], []],
      ['de-CH', ['pin-3', 'pin-0'], []],
      ['DE-de', ['pin-3', 'pin-0'], []],
      ['de_DE', ['pin-3', 'pin-0'], []],
      ['en', ['pin-3', 'pin-2', 'pin-1'], []],
      ['en-gb', ['pin-3', 'pin-2'], []],
      ['fr-CA', ['pin-3'], ['FEED_LOCALE_UNKNOWN']],
      ['', ['pin-3', 'pin-2', 'pin-1', 'pin-0'], []],
    ])('%s: on both surfaces and every rung', async (locale, pins, reasons) => {
      const { blender, feed, related, services, tellCatalogue } = await aBlender({ pins: manyPins(4) })
      await tellCatalogue(catalogue)
      const evaluation = Evaluation.fromPartial({ dryRun: true })
      const answer = await feed({ locale, evaluation })
      expect(idsOf(answer)).toEqual(pins)
      expect(answer.reasons).toEqual(reasons)
      expect(idsOf(await related({ locale, pinId: 'pin-9' }))).toEqual(pins)
      await feed({ userId: 'bob' })
      await blender.refreshPopular(100)
      services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'away'))
      const popular = await related({ locale, pinId: 'pin-9' })
      expect([...idsOf(popular)].sort()).toEqual([...pins].sort())
      expect(popular.reasons).toEqual(expect.arrayContaining(reasons))
    })

    test.each(['q', 'de--DE', 'en_US.UTF-8', 'x y'])('%j is rejected by field', async (locale) => {
      const { feed } = await aBlender()
      await expect(feed({ locale })).rejects.toThrow(
        `locale: is ${JSON.stringify(locale)}, which is not BCP 47; give a locale such as de-AT, or none`,
      )
    })
  })

  test('fail closed: before the catalogue has been read, the feed is empty', async () => {
    const { blender, feed, log, settle } = await aBlender()
    await log.append('pins.v1', [{ key: 'pin-1', value: null, partition: null }])
    let open: () => void = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const { readAll } = log
    log.readAll = (options) => opened.then(() => readAll(options))
    const starting = settle(blender.start())
    expect(blender.unready()).toContain('catalogue')
    expect(await feed()).toMatchObject({ items: [], degradation: Degradation.POPULAR, reasons: ['FACTS_BEHIND'] })
    open()
    await starting
    await log.drain()
    expect(blender.unready()).toBeNull()
    expect((await feed()).items).toHaveLength(25)
    await settle(blender.stop())
  })

  test("pins in the user's history do not appear unless repeats are allowed", async () => {
    const { feed, storeUser } = await aBlender({ pins: manyPins(10) })
    await storeUser('ada', [anEngagement('impression', 'pin-9'), anEngagement('click', 'pin-8', startMs - 5)])
    const dryRun = true
    expect(idsOf(await feed({ evaluation: Evaluation.fromPartial({ dryRun }) })).slice(0, 2)).toEqual([
      'pin-7',
      'pin-6',
    ])
    const repeats = await feed({ evaluation: Evaluation.fromPartial({ dryRun, allowRepeats: true }) })
    expect(idsOf(repeats).slice(0, 2)).toEqual(['pin-9', 'pin-8'])
  })
})

describe('A15: readiness: a blender is ready when it can fill a feed', () => {
  test('not while the candidate service is down or catching up; then without a restart; and later from memory', async () => {
    const { blender, services, feed, settle, clock, events } = await aBlender()
    const found = services.retrieve
    services.retrieve = unavailable
    await settle(blender.start())
    await clock.advance(1_000)
    expect(blender.unready()).toBe('the candidate service does not answer: connection refused')
    expect(events.filter(({ what }) => what === 'popular')).toHaveLength(1)
    services.retrieve = (request) => ({ ...foundPins([], request), catchingUp: true })
    await clock.advance(300)
    expect(blender.unready()).toBe('the candidate service is catching up')
    services.retrieve = found
    await clock.advance(300)
    expect(blender.unready()).toBeNull()
    services.retrieve = unavailable
    await clock.advance(60_000)
    expect(blender.unready()).toBeNull()
    expect(await feed({ userId: 'newcomer' })).toMatchObject({ degradation: Degradation.POPULAR })
    expect((await feed({ userId: 'another' })).items).toHaveLength(25)
    await settle(blender.stop())
  })

  test('with an empty catalogue it does not wait', async () => {
    const { blender, settle, clock } = await aBlender({ pins: [] })
    await settle(blender.start())
    await clock.advance(1)
    expect(blender.unready()).toBeNull()
    await settle(blender.stop())
  })

  test('a catalogue that was empty at the start has popular pins within a second of its first pins', async () => {
    const { blender, feed, services, settle, clock, tellCatalogue } = await aBlender({ pins: [] })
    await settle(blender.start())
    await clock.advance(1_000)
    const pins = manyPins(40)
    await tellCatalogue(pins.map((pinId) => aPin(pinId)))
    services.retrieve = (request) => foundPins(pins, request)
    await clock.advance(1_000)
    services.retrieve = unavailable
    const { items, degradation } = await feed({ userId: 'newcomer' })
    expect([items.length, degradation]).toEqual([25, Degradation.POPULAR])
    await settle(blender.stop())
  })

  test('the answer names a candidate service that is catching up, and does not claim that the feed ends', async () => {
    const { feed, services } = await aBlender({ pins: manyPins(3) })
    services.retrieve = (request) => ({ ...foundPins(services.pins, request), exhausted: false, catchingUp: true })
    expect(await feed()).toMatchObject({ degradation: Degradation.PARTIAL, reasons: ['CANDIDATES_BEHIND'] })
  })

  test('an empty answer of a candidate service that is catching up is not the end of the feed: popular pins come', async () => {
    const { blender, feed, services } = await aBlender()
    await blender.refreshPopular(1_000)
    services.retrieve = (request) => ({ ...foundPins([], request), exhausted: true, catchingUp: true })
    const { items, degradation } = await feed({ userId: 'newcomer' })
    expect([items.length, degradation]).toEqual([25, Degradation.POPULAR])
  })

  test('warming up asks the services like a feed, and leaves no trace', async () => {
    const { blender, services, records, settle } = await aBlender()
    await settle(blender.warmUp(1_000))
    expect([services.retrieved.length, services.ranked.length]).toEqual([1, 1])
    expect(records).toEqual([])
    expect(blender.stats()).toMatchObject({ unwrittenFeeds: 0 })
  })
})

describe('read your writes', () => {
  test('waits until the stored state has passed the token, then says CURRENT and uses that state', async () => {
    const { blender, clock, storeUser, services, settle } = await aBlender()
    const answering = blender.getFeed({ ...aFeedRequest({}), after: [`e${own}-41`] }, { timeoutMs: 500 })
    for (let i = 0; i < 20; i++) await clock.advance(1)
    await storeUser('ada', [anEngagement('save', 'pin-3')], 41)
    for (let i = 0; i < 20; i++) await clock.advance(1)
    expect(services.retrieved).toHaveLength(0)
    await storeUser('ada', [anEngagement('save', 'pin-3'), anEngagement('save', 'pin-4', startMs - 5)], 42)
    expect((await settle(answering)).freshness).toBe(Freshness.CURRENT)
    expect(services.retrieved[0]!.recent).toMatchObject({ pinIds: ['pin-3', 'pin-4'] })
  })

  test('does not read a second time if the state has already passed the token', async () => {
    const { feed, faults, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('save', 'pin-3')], 42)
    const reads: string[] = []
    faults.store = async (operation) => void reads.push(operation)
    expect((await feed({ after: [`e${own}-41`] })).freshness).toBe(Freshness.CURRENT)
    expect(reads.filter((operation) => operation === 'read user.1')).toHaveLength(1)
  })

  test('BEHIND if the share of the deadline ends first, with a whole feed', async () => {
    const { feed, clock } = await aBlender()
    const answer = await feed({ after: [`e${own}-41`] }, { timeoutMs: 200 })
    expect(answer).toMatchObject({ freshness: Freshness.BEHIND, degradation: Degradation.NONE, reasons: [] })
    expect(answer.items).toHaveLength(25)
    expect(clock.now() - startMs).toBeLessThan(200)
  })

  test('A2: never CURRENT for a token of another log than that of the state, and the answer gives the reason', async () => {
    const { feed, store, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('save', 'pin-3')], 42)
    await moveFollowedLog(store, 'engagements.v1', firstLog, { ...firstLog, id: 'old' })
    expect((await feed({ after: [`e${own}-4-${logTag('old')}`] })).freshness).toBe(Freshness.CURRENT)
    expect(await feed({ after: [`e${own}-4-${logTag('new')}`] })).toMatchObject({
      freshness: Freshness.BEHIND,
      reasons: ['LOG_REPLACED'],
    })
  })

  test('A2: CURRENT again only after the adopted log has been folded up to the token', async () => {
    const { feed, store, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('save', 'pin-3')], 42)
    await moveFollowedLog(store, 'engagements.v1', firstLog, { ...firstLog, epoch: 1, id: 'new' })
    const after = [`e${own}-4-${logTag('new')}`]
    expect((await feed({ after })).freshness).toBe(Freshness.BEHIND)
    await storeUser('ada', [anEngagement('save', 'pin-3')], storedPosition(1, 5))
    expect((await feed({ after })).freshness).toBe(Freshness.CURRENT)
  })

  test('waits for tokens of catalogue changes and passes them on', async () => {
    const { feed, services, tellCatalogue } = await aBlender()
    const [position] = await tellCatalogue([aPin('pin-1')])
    const token = `p${position!.partition}-${position!.position}`
    expect((await feed({ after: [token] })).freshness).toBe(Freshness.CURRENT)
    const wanted = { topic: 'pins.v1', partition: position!.partition, position: position!.position + 1 }
    expect(services.retrieved[0]!.await).toEqual([wanted])
    expect(services.ranked[0]!.await).toEqual([wanted])
    expect((await feed({ after: [`p${position!.partition}-${position!.position + 1}`] })).freshness).toBe(
      Freshness.BEHIND,
    )
  })

  test.each(['retrieve', 'rank'] as const)('BEHIND if %s reports that it is not fresh', async (service) => {
    const { feed, services, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('save', 'pin-3')], 5)
    if (service === 'retrieve')
      services.retrieve = (request) => ({ ...foundPins(services.pins, request), fresh: false })
    else services.rank = (request) => ({ ...rankedPins(request), fresh: false })
    expect((await feed({ after: [`e${own}-1`] })).freshness).toBe(Freshness.BEHIND)
  })

  test('collective consistency waits for the whole chain', async () => {
    const { blender, clock, store, log, services, settle, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('save', 'pin-3')], 8)
    await log.append('pin-engagements.v1', [{ key: 'pin-3', value: new Uint8Array(1), partition: 2 }])
    await log.append('pin-features.v1', [{ key: 'pin-3', value: new Uint8Array(1), partition: 1 }])
    const evaluation = Evaluation.fromPartial({ consistency: Consistency.COLLECTIVE, dryRun: true })
    const after = [`e${own}-7`, `e${other}-3`]
    const answering = blender.getFeed({ ...aFeedRequest({}), after, evaluation }, { timeoutMs: 20_000 })
    const commit = (scope: string, partition: number, next: number) =>
      store.commit({ scope, partition, from: 0, next, puts: [], appends: [], deletes: [], meta: null, remember: [] })
    for (let i = 0; i < 2_000; i++) await clock.advance(1)
    expect(services.retrieved).toHaveLength(0)
    await commit('user.1', other, 4)
    for (let i = 0; i < 2_000; i++) await clock.advance(1)
    expect(services.retrieved).toHaveLength(0)
    await commit('pin.1', 2, 1)
    const answer = await settle(answering)
    expect(answer).toMatchObject({ freshness: Freshness.CURRENT, degradation: Degradation.NONE })
    expect(services.retrieved[0]!.await).toEqual([
      { topic: 'engagements.v1', partition: own, position: 8 },
      { topic: 'engagements.v1', partition: other, position: 4 },
    ])
    expect(services.ranked[0]!.await).toContainEqual({ topic: 'pin-features.v1', partition: 1, position: 1 })
  })
})

describe('the ladder', () => {
  test.each([
    [SourceStatus.TIMED_OUT, 'SOURCE_TIMED_OUT'],
    [SourceStatus.FAILED, 'SOURCE_FAILED'],
  ])('a source left out (%s): PARTIAL', async (status, code) => {
    const { feed, services } = await aBlender()
    services.retrieve = (request) => {
      const found = foundPins(services.pins, request)
      return {
        ...found,
        sources: [
          found.sources[0]!,
          { ...found.sources[1]!, status, candidateIndices: new Uint8Array(), scores: new Uint8Array() },
        ],
      }
    }
    expect(await feed()).toMatchObject({ degradation: Degradation.PARTIAL, reasons: [code] })
  })

  test.each([
    ['is down', unavailable, 'CALL_UNAVAILABLE'],
    ['does not answer', never, 'STAGE_TIMED_OUT'],
    [
      'answers too few utilities',
      (r: Parameters<typeof rankedPins>[0]) => rankedPins({ ...r, pinIds: ['pin-1'] }),
      'CALL_INTERNAL',
    ],
    [
      'answers NaN',
      (r: Parameters<typeof rankedPins>[0]) => ({
        ...rankedPins(r),
        utilities: new Uint8Array(r.pinIds.length * 4).fill(255),
      }),
      'CALL_INTERNAL',
    ],
  ])('a ranker that %s: retrieval order', async (_how, rank, code) => {
    const { feed, services, clock } = await aBlender()
    services.rank = rank
    const answer = await feed({ pageSize: 3 })
    expect(answer).toMatchObject({ degradation: Degradation.RETRIEVAL_ORDER, reasons: [code] })
    expect(idsOf(answer)).toEqual(['pin-0', 'pin-1', 'pin-2'])
    expect(clock.now() - startMs).toBeLessThan(500)
  })

  test("the candidate service is down: the user's last good feed, without pins shown or hidden since", async () => {
    const { feed, services, storeUser, tellCatalogue } = await aBlender()
    const first = await feed({ pageSize: 5 })
    services.retrieve = unavailable
    await storeUser('ada', [anEngagement('hide', 'pin-294')], 3)
    await tellCatalogue([{ kind: 'delete', pinId: asId('pin-293') }])
    const second = await feed({ pageSize: 3, explain: true })
    expect(second).toMatchObject({ degradation: Degradation.LAST_GOOD, reasons: ['CALL_UNAVAILABLE'] })
    expect(idsOf(first)).toEqual(['pin-299', 'pin-298', 'pin-297', 'pin-296', 'pin-295'])
    expect(idsOf(second)).toEqual(['pin-292', 'pin-291', 'pin-290'])
    expect(second.items[0]).toMatchObject({ utility: 292, sources: ['even'] })
    expect(second.stages.map(({ stage }) => stage)).toContain('last-good/page')
    expect(idsOf(await feed({ pageSize: 2 }))).toEqual(['pin-289', 'pin-288'])
  })

  test.each([1, 30, 600])(
    'every reading of the clock takes %s ms: an answer without a repeated pin',
    async (lookMs) => {
      const { feed, blender } = await aBlender({ lookMs })
      await blender.refreshPopular(100)
      const answers = [await feed({ pageSize: 3 }), await feed({ pageSize: 3 }), await feed({ pageSize: 3 })]
      const shown = answers.flatMap(idsOf)
      expect(new Set(shown).size).toBe(9)
      if (lookMs === 600) {
        expect(answers[0]).toMatchObject({
          degradation: Degradation.POPULAR,
          reasons: ['STAGE_TIMED_OUT', 'FEED_UNKNOWN_USER'],
        })
        expect(shown).toEqual(manyPins(9))
      }
    },
  )

  test('a process without memory takes the last good feed from the state store', async () => {
    const one = await aBlender()
    const first = await one.feed({ pageSize: 2 })
    const { values } = await one.store.read('last-good', own, ['ada'])
    const served = await one.store.read('served', own, ['ada'])
    const two = await aBlender()
    await two.store.put('last-good', own, { key: 'ada', value: values[0]!, ttlMs: null })
    await two.store.put('served', own, { key: 'ada', value: served.values[0]!, ttlMs: null })
    two.services.retrieve = unavailable
    const second = await two.feed({ pageSize: 2 })
    expect(idsOf(first)).toEqual(['pin-299', 'pin-298'])
    expect(second).toMatchObject({ degradation: Degradation.LAST_GOOD })
    expect(idsOf(second)).toEqual(['pin-297', 'pin-296'])
    expect(second.items[0]!.sources).toEqual(['odd'])
  })

  test('no last good feed: popular pins, from memory', async () => {
    const { feed, blender, services } = await aBlender()
    await blender.refreshPopular(100)
    services.retrieve = unavailable
    const answer = await feed({ pageSize: 3 })
    expect(answer).toMatchObject({ degradation: Degradation.POPULAR, reasons: ['CALL_UNAVAILABLE'] })
    expect(idsOf(answer)).toEqual(['pin-0', 'pin-1', 'pin-2'])
    expect(idsOf(await feed({ pageSize: 2 }))).toEqual(['pin-3', 'pin-4'])
  })

  test('popular pins are kept by locale, for the requested locales', async () => {
    const { feed, blender, services } = await aBlender()
    services.retrieve = (request) =>
      foundPins(request.locale === 'de-AT' ? ['pin-200', 'pin-201'] : services.pins, request)
    await feed({ userId: 'bob', locale: 'de-AT' })
    await blender.refreshPopular(100)
    services.retrieve = unavailable
    expect(idsOf(await feed({ locale: 'de-AT' }))).toEqual(['pin-200', 'pin-201'])
    expect(idsOf(await feed({ userId: 'cleo', locale: 'fr-FR', pageSize: 2 }))).toEqual(['pin-0', 'pin-1'])
  })

  test.each([
    ['refuses', storeDown, 'STORE_UNAVAILABLE'],
    ['hangs', never, 'STAGE_TIMED_OUT'],
  ])(
    'a state store that %s: an answer within the deadline from what this process remembers, hides included',
    async (_how, fault, code) => {
      const { feed, faults, storeUser, clock } = await aBlender()
      await storeUser('ada', [anEngagement('hide', 'pin-297')])
      const first = await feed({ pageSize: 2 })
      faults.store = fault
      const beforeMs = clock.now()
      const second = await feed({ pageSize: 2 }, { timeoutMs: 300 })
      expect(clock.now() - beforeMs).toBeLessThanOrEqual(300)
      expect(second).toMatchObject({ degradation: Degradation.LAST_GOOD })
      expect(second.reasons).toContain(code)
      expect(idsOf(first)).toEqual(['pin-299', 'pin-298'])
      expect(idsOf(second)).toEqual(['pin-296', 'pin-295'])
      expect(idsOf(await feed({ pageSize: 1 }, { timeoutMs: 300 }))).toEqual(['pin-294'])
    },
  )

  test('state of a newer fold than this process knows: nothing of it is read by other rules, hides remembered count, and the answer is marked', async () => {
    const { feed, store, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('hide', 'pin-297')])
    await feed({ pageSize: 2 })
    const newer = encodeUserState(newUserState, defaultUserLimits, userFoldVersion + 1)
    const nothing = { appends: [], deletes: [], meta: null, remember: [] }
    const puts = [{ key: 'ada', value: newer, ttlMs: null }]
    await store.commit({ scope: 'user.1', partition: own, from: 1, next: 2, puts, ...nothing })
    const answer = await feed({ pageSize: 2 })
    expect(answer).toMatchObject({ degradation: Degradation.LAST_GOOD })
    expect(answer.reasons).toContain('CODEC_NEWER')
    expect(idsOf(answer)).toEqual(['pin-296', 'pin-295'])
  })

  test('the state store is down and this process does not remember the user: popular pins, and the answer says that it does not know hides', async () => {
    const { feed, blender, faults } = await aBlender()
    await blender.refreshPopular(100)
    faults.store = storeDown
    const answer = await feed({ userId: 'zoe', pageSize: 2 })
    expect(answer).toMatchObject({ degradation: Degradation.POPULAR })
    expect(answer.reasons).toEqual(['STORE_UNAVAILABLE', 'FEED_UNKNOWN_USER'])
    expect(idsOf(answer)).toEqual(['pin-0', 'pin-1'])
  })

  test('every service is down: an empty answer that says so, within the deadline', async () => {
    const { feed, faults, services, clock } = await aBlender()
    faults.store = never
    services.retrieve = never
    services.rank = never
    const answer = await feed({}, { timeoutMs: 100 })
    expect(clock.now() - startMs).toBeLessThanOrEqual(100)
    expect(answer).toMatchObject({ items: [], degradation: Degradation.POPULAR })
  })

  test('a law: the answer comes before the deadline, whatever is slow or broken', async () => {
    const fault = fc.constantFrom('fine', 'slow', 'broken', 'hanging')
    await fc.assert(
      fc.asyncProperty(
        fault,
        fault,
        fault,
        fc.integer({ min: 20, max: 400 }),
        async (store, candidates, ranker, timeoutMs) => {
          const { feed, faults, services, blender, clock } = await aBlender()
          await blender.refreshPopular(100)
          await feed()
          const act = async (how: string) => {
            if (how === 'slow') await clock.sleep(30)
            if (how === 'broken') throw new ContractError('CALL_UNAVAILABLE', 'broken')
            if (how === 'hanging') await never()
          }
          faults.store = () => act(store)
          services.retrieve = (request) => act(candidates).then(() => foundPins(services.pins, request))
          services.rank = (request) => act(ranker).then(() => rankedPins(request))
          const beforeMs = clock.now()
          const answer = await feed({}, { timeoutMs })
          expect(clock.now() - beforeMs).toBeLessThanOrEqual(timeoutMs)
          expect(answer.items.length).toBeGreaterThan(0)
          const fine = [store, candidates, ranker].every((how) => how === 'fine')
          if (fine) expect(answer.degradation).toBe(Degradation.NONE)
          if (answer.degradation !== Degradation.NONE) expect(answer.reasons).not.toEqual([])
        },
      ),
      { seed: 7, numRuns: 60 },
    )
  })

  test('the caller ends its call: CALL_CANCELLED, and the calls to services are cancelled too', async () => {
    const { blender, services, settle } = await aBlender()
    let seen: AbortSignal | undefined
    services.retrieve = (_request, { signal }) => {
      seen = signal
      return never()
    }
    const stop = new AbortController()
    const answering = blender.getFeed(aFeedRequest({}), { timeoutMs: 500, signal: stop.signal })
    while (seen === undefined) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    const error = await settle(answering).catch((thrown: unknown) => thrown)
    expect(isContractError(error, 'CALL_CANCELLED')).toBe(true)
    expect(seen.aborted).toBe(true)
  })
})

describe('the record of served feeds', () => {
  test('contains the features as used, the sources and what each stage did', async () => {
    const { feed, servedFeeds } = await aBlender()
    const first = await feed({ pageSize: 2, sessionId: 's1', atMs: startMs + 5 })
    await feed({ pageSize: 2, pageToken: first.nextPageToken })
    const [one, two] = await servedFeeds()
    expect(one).toMatchObject({
      feedId: first.feedId,
      userId: 'ada',
      sessionId: 's1',
      atMs: startMs + 5,
      firstPosition: 0,
      pinIds: ['pin-299', 'pin-298'],
      sources: ['even', 'odd'],
      featureNames: ['number', 'half'],
      actions: ['click', 'save'],
      amountNames: ['dwell'],
      exposedNames: ['lift', 'doubt'],
      modelVersion: 'fake-1',
      degradation: Degradation.NONE,
    })
    expect([...float32Column(one!.utilities)]).toEqual([299, 298])
    expect([...float32Column(one!.features)]).toEqual([299, 0.5, 298, 0.5])
    expect([...float32Column(one!.probabilities)]).toEqual([...Float32Array.of(0.299, 0.298, 0.25, 0.25)])
    expect([...float32Column(one!.amounts)]).toEqual([2990, 2980])
    expect([...float32Column(one!.exposed)]).toEqual([149.5, NaN, 149, NaN])
    expect(one!.facts).toEqual([
      { name: 'pin.topics', texts: ['pin-299/a', 'pin-299/b'], counts: bytesOf(Uint16Array.of(2, 0)) },
    ])
    expect([...uint32Column(one!.foundBy)]).toEqual([2, 1])
    expect(one!.stages.map(({ stage }) => stage)).toContain('rank')
    expect(two).toMatchObject({ firstPosition: 2, pinIds: ['pin-297', 'pin-296'] })
  })

  test('contains the degradation of a degraded feed', async () => {
    const { feed, services, servedFeeds } = await aBlender()
    services.rank = unavailable
    await feed({ pageSize: 2 })
    expect((await servedFeeds())[0]).toMatchObject({
      degradation: Degradation.RETRIEVAL_ORDER,
      pinIds: ['pin-0', 'pin-1'],
      featureNames: [],
      modelVersion: '',
    })
  })

  test('a log that does not accept feeds delays no answer; feeds beyond the limit are counted', async () => {
    const { feed, log, events } = await aBlender({ config: { maxUnwrittenFeeds: 3 } })
    log.append = never
    for (let i = 0; i < 5; i++) expect((await feed({ userId: `user-${i}` })).degradation).toBe(Degradation.NONE)
    expect(events.map(({ what }) => what)).toEqual(['feed-lost full 1', 'feed-lost full 1'])
  })

  test('feeds that the log rejects are counted', async () => {
    const { feed, log, events, blender } = await aBlender()
    log.append = () => Promise.reject(new ContractError('LOG_RECORD_TOO_LARGE', 'too large'))
    await feed()
    await blender.flush()
    expect(events.map(({ what }) => what)).toEqual(['feed-lost log 1'])
  })

  test('contains what exploration added', async () => {
    const { feed, services, servedFeeds } = await aBlender({ config: { explorationOptimism: 2, explorationChance: 0 } })
    // Nothing is known of pin-7.
    services.rank = (request) => unsure(request, (pinId) => (pinId === 'pin-7' ? 1_000 : 0.25))
    expect(idsOf(await feed({ pageSize: 3 }))).toEqual(['pin-7', 'pin-299', 'pin-298'])
    const [record] = await servedFeeds()
    expect([...float32Column(record!.utilities)]).toEqual([7, 299, 298])
    expect([...float32Column(record!.exploration)]).toEqual([2_000, 0.5, 0.5])
  })

  test('a dry run records nothing, and its pages follow each other', async () => {
    const { feed, servedFeeds, store } = await aBlender()
    const evaluation = Evaluation.fromPartial({ dryRun: true })
    const first = await feed({ evaluation, pageSize: 3 })
    expect(idsOf(await feed({ evaluation, pageSize: 3 }))).toEqual(idsOf(first))
    const second = await feed({ evaluation, pageSize: 3, pageToken: first.nextPageToken })
    expect(idsOf(second)).toEqual(['pin-296', 'pin-295', 'pin-294'])
    expect(second.items[0]!.position).toBe(3)
    expect(await servedFeeds()).toEqual([])
    expect((await store.read('served', own, ['ada'])).values).toEqual([null])
  })
})

describe('exploration', () => {
  const asked = { pageSize: 40, atMs: startMs + 5 }
  const noisy = async (config = {}) => {
    const found = await aBlender({ config })
    found.services.rank = (request) => unsure(request, () => 100)
    return found
  }
  const best = Array.from({ length: 40 }, (_, at) => `pin-${299 - at}`)

  test('draws another order, the same one for the same request and seed', async () => {
    const [one, again, other, seeded] = [await noisy(), await noisy(), await noisy(), await noisy({ seed: 2 })]
    const drawn = idsOf(await one.feed(asked))
    expect(drawn).not.toEqual(best)
    expect(idsOf(await again.feed(asked))).toEqual(drawn)
    expect(idsOf(await other.feed({ ...asked, atMs: startMs + 6 }))).not.toEqual(drawn)
    expect(idsOf(await seeded.feed(asked))).not.toEqual(drawn)
  })

  test('prefers pins with a high utility', async () => {
    const { feed } = await noisy()
    const mean = idsOf(await feed(asked)).reduce((sum, pinId) => sum + Number(pinId.slice(4)) / 40, 0)
    expect(mean).toBeGreaterThan(200)
  })

  test.each([true, false])('loses and doubles no pin over the pages of a session (dry run: %s)', async (dryRun) => {
    const { feed } = await noisy()
    const evaluation = dryRun ? Evaluation.fromPartial({ dryRun }) : undefined
    const shown: string[] = []
    for (let pageToken = ''; ;) {
      const answer = await feed({ pageSize: 64, pageToken, evaluation })
      shown.push(...idsOf(answer))
      if (answer.items.length < 64) break
      pageToken = answer.nextPageToken
    }
    expect(shown.toSorted()).toEqual(manyPins(300).toSorted())
  })

  test('none without chance and optimism, nor in evaluations, nor if the ranker gives no deviations', async () => {
    const off = await noisy({ explorationOptimism: 0, explorationChance: 0 })
    expect(idsOf(await off.feed(asked))).toEqual(best)
    expect((await off.servedFeeds())[0]!.exploration).toHaveLength(0)
    const on = await noisy()
    const evaluation = Evaluation.fromPartial({ sources: ['even', 'odd'] })
    expect(idsOf(await on.feed({ ...asked, userId: 'eve', evaluation }))).toEqual(best)
    on.services.rank = rankedPins
    expect(idsOf(await on.feed(asked))).toEqual(best)
  })

  test('a ranker whose deviations cannot be used: the order of utility', async () => {
    const { feed, services } = await aBlender()
    for (const deviations of [new Float32Array(3), new Float32Array(300).fill(NaN), new Float32Array(300).fill(-1)]) {
      services.rank = (request) => ({ ...rankedPins(request), utilityDeviations: bytesOf(deviations) })
      expect(idsOf(await feed({ pageSize: 2, userId: `user-${deviations.length}-${deviations[0]}` }))).toEqual([
        'pin-299',
        'pin-298',
      ])
    }
  })
})

describe('evaluations', () => {
  test('candidates only: retrieval order, only exclusions are filtered, nothing is recorded', async () => {
    const { feed, services, storeUser, servedFeeds } = await aBlender()
    await storeUser('ada', [anEngagement('hide', 'pin-1'), anEngagement('save', 'pin-2', startMs - 5)])
    const evaluation = Evaluation.fromPartial({
      depth: Depth.CANDIDATES,
      excludePinIds: ['pin-0'],
      sources: ['even'],
      allowRepeats: true,
    })
    const answer = await feed({ evaluation, pageSize: 3 })
    expect(idsOf(answer)).toEqual(['pin-1', 'pin-2', 'pin-3'])
    expect(answer.items[0]!.utility).toBe(1)
    expect(services.retrieved[0]).toMatchObject({
      sources: ['even'],
      excludePinIds: ['pin-0'],
      recent: { pinIds: ['pin-2', 'pin-1'].reverse() },
    })
    expect(services.ranked).toEqual([])
    expect(await servedFeeds()).toEqual([])
  })

  test('candidates only, without repeats: the search excludes the history', async () => {
    const { feed, services, storeUser } = await aBlender()
    await storeUser('ada', [anEngagement('click', 'pin-1'), anEngagement('save', 'pin-2', startMs - 5)])
    const evaluation = Evaluation.fromPartial({ depth: Depth.CANDIDATES, excludePinIds: ['pin-0'] })
    expect(idsOf(await feed({ evaluation, pageSize: 3 }))).toEqual(['pin-3', 'pin-4', 'pin-5'])
    expect([...services.retrieved[0]!.excludePinIds].sort()).toEqual(['pin-0', 'pin-1', 'pin-2'])
  })

  test('among: exactly these pins are ranked, including those that no source found', async () => {
    const { feed } = await aBlender()
    const evaluation = Evaluation.fromPartial({ dryRun: true, amongPinIds: ['pin-7', 'pin-1000', 'pin-3'] })
    expect(idsOf(await feed({ evaluation }))).toEqual(['pin-1000', 'pin-7', 'pin-3'])
    // Nobody has checked on which boards the others are.
    const filter = FeedFilter.fromPartial({ boardIds: ['b1'] })
    expect(idsOf(await feed({ evaluation, filter }))).toEqual(['pin-7', 'pin-3'])
  })

  test('an unknown source: CALL_INVALID_ARGUMENT, not a degraded feed', async () => {
    const { feed, services } = await aBlender()
    services.retrieve = () =>
      Promise.reject(new ContractError('CALL_INVALID_ARGUMENT', 'sources names "x"; there are even, odd'))
    const error = await feed({ evaluation: Evaluation.fromPartial({ sources: ['x'] }) }).catch(
      (thrown: unknown) => thrown,
    )
    expect(isContractError(error, 'CALL_INVALID_ARGUMENT')).toBe(true)
    expect((error as Error).message).toContain('evaluation.sources')
  })
})

describe('related pins', () => {
  test('never include the pin itself, hidden or deleted pins; may include pins served or seen at home', async () => {
    const { feed, related, storeUser, tellCatalogue, services, servedFeeds } = await aBlender({ pins: manyPins(8) })
    await storeUser('ada', [anEngagement('hide', 'pin-6'), anEngagement('click', 'pin-5', startMs - 5)])
    await tellCatalogue([{ kind: 'delete', pinId: asId('pin-4') }])
    await feed({ pageSize: 1 })
    const answer = await related({ pinId: 'pin-3', userId: 'ada' })
    expect(idsOf(answer)).toEqual(['pin-7', 'pin-5', 'pin-2', 'pin-1', 'pin-0'])
    expect(services.retrieved.at(-1)).toMatchObject({ relatedToPinId: 'pin-3', surface: 2 })
    expect(idsOf(await related({ pinId: 'pin-3', userId: 'ada' }))).toEqual(idsOf(answer))
    expect((await servedFeeds()).at(-1)).toMatchObject({ surface: 2, relatedToPinId: 'pin-3' })
  })

  test('are ranked from few candidates of the sources that start from the pin, unless the request names others', async () => {
    const { related, services } = await aBlender({ config: { relatedCandidates: 50 } })
    await related({ pageSize: 10 })
    await related({ pageSize: 60 })
    await related({ pageSize: 10, onlySources: ['popularity'], withoutSources: ['trending'] })
    expect(services.retrieved.map(({ limit }) => limit)).toEqual([50, 120, 50])
    expect(services.retrieved[0]).toMatchObject({ fillTo: 50, sources: [] })
    expect(services.retrieved[0]?.withoutSources).toContain('popularity')
    expect(services.retrieved[0]?.withoutSources).not.toContain('visual-neighbours')
    expect(services.retrieved[2]).toMatchObject({ sources: ['popularity'], withoutSources: ['trending'] })
  })

  test('do not read state without a user', async () => {
    const { related, faults } = await aBlender()
    faults.store = storeDown
    expect(await related({ pageSize: 2 })).toMatchObject({
      degradation: Degradation.NONE,
      items: [{ pinId: 'pin-299' }, { pinId: 'pin-298' }],
    })
  })

  test('fall back on popular pins, never on the home feed', async () => {
    const { feed, related, blender, services } = await aBlender()
    await blender.refreshPopular(100)
    await feed()
    services.retrieve = unavailable
    const answer = await related({ pinId: 'pin-0', userId: 'ada', pageSize: 2 })
    expect(answer).toMatchObject({ degradation: Degradation.POPULAR })
    expect(idsOf(answer)).toEqual(['pin-1', 'pin-2'])
  })
})
