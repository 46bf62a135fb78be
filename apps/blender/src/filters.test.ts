import { ContractError } from '@freshet/contracts/errors'
import {
  Degradation,
  FeedFilter,
  GetFeedRequest,
  GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { aCataloguePin } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aBlender, anEngagement, foundPins, startMs } from './blender.harness.ts'
import { pseudonymous } from './pseudonymous.ts'
import { checkFilter } from './request-filter.ts'

const catalogued = { config: { showUnlistedPins: false } }
const listOf = (given: Readonly<Record<string, Partial<Pin>>>): Pin[] =>
  Object.entries(given).map(([pinId, fields]) => aCataloguePin(pinId, fields))
const idsOf = ({ items }: { readonly items: readonly { readonly pinId: string }[] }) =>
  items.map(({ pinId }) => pinId).sort()

/** A blender whose catalogue has these pins, and whose candidate service finds all of them without looking at the request. */
async function aBlenderOf(pins: readonly Pin[]) {
  const world = await aBlender({ ...catalogued, pins: pins.map(({ pinId }) => pinId) })
  await world.tellCatalogue(pins.map((pin) => ({ kind: 'upsert', pin })))
  world.services.retrieve = (request) => foundPins(world.services.pins, { ...request, excludePinIds: [] })
  const ask = (filter: Partial<FeedFilter> = {}, rest: Parameters<typeof world.feed>[0] = {}) =>
    world.feed({
      filter: FeedFilter.fromPartial(filter),
      evaluation: { dryRun: true } as never,
      explain: true,
      ...rest,
    })
  return { ...world, ask }
}

type Asked = Awaited<ReturnType<Awaited<ReturnType<typeof aBlenderOf>>['ask']>>
const removedBy = ({ stages }: Asked, name: string) => stages.find(({ stage }) => stage === name)!.removed

describe('a pin', () => {
  test('appears when it becomes available and leaves when it expires, without any event', async () => {
    const pins = listOf({ always: {}, brief: { availableFromMs: startMs + 60_000, expiresAtMs: startMs + 120_000 } })
    const { ask, clock } = await aBlenderOf(pins)
    const early = await ask()
    expect([idsOf(early), removedBy(early, 'availability')]).toEqual([['always'], { 'not-yet-available': 1 }])
    await clock.advance(startMs + 59_999 - clock.now())
    expect(idsOf(await ask())).toEqual(['always'])
    await clock.advance(startMs + 60_000 - clock.now())
    expect(idsOf(await ask())).toEqual(['always', 'brief'])
    expect(idsOf(await ask({}, { atMs: startMs + 119_999 }))).toEqual(['always', 'brief'])
    const late = await ask({}, { atMs: startMs + 120_000 })
    expect([idsOf(late), removedBy(late, 'availability')]).toEqual([['always'], { expired: 1 }])
  })

  test('with safety labels comes only if the request allows all of them', async () => {
    const pins = listOf({ plain: {}, one: { safetyLabels: ['adult'] }, two: { safetyLabels: ['adult', 'blood'] } })
    const { ask } = await aBlenderOf(pins)
    const none = await ask()
    expect([idsOf(none), removedBy(none, 'safety-label')]).toEqual([['plain'], { 'safety-label': 2 }])
    expect(idsOf(await ask({ allowedSafetyLabels: ['adult', 'unknown'] }))).toEqual(['one', 'plain'])
    expect(idsOf(await ask({ allowedSafetyLabels: ['blood', 'adult'] }))).toEqual(['one', 'plain', 'two'])
  })

  test('with a label beyond the cap comes to nobody, and the operator is warned', async () => {
    const labels = Array.from({ length: 33 }, (_, i) => `label-${i}`)
    const pins = labels.map((label, i) => aCataloguePin(`pin-${i}`, { safetyLabels: [label] }))
    const { ask, blender } = await aBlenderOf(pins)
    expect((await ask({ allowedSafetyLabels: labels }, { pageSize: 100 })).items).toHaveLength(31)
    expect(blender.warning()).toContain('maxSafetyLabels is 31')
  })

  test('with a minimum age comes to users who are known to be as old', async () => {
    const { ask } = await aBlenderOf(listOf({ everyone: {}, grown: { minAge: 18 } }))
    const unknown = await ask()
    expect([idsOf(unknown), removedBy(unknown, 'min-age')]).toEqual([['everyone'], { 'min-age': 1 }])
    expect(idsOf(await ask({ userAge: 17 }))).toEqual(['everyone'])
    expect(idsOf(await ask({ userAge: 18 }))).toEqual(['everyone', 'grown'])
  })

  test("of the user's own comes only if the request includes own pins", async () => {
    const { ask } = await aBlenderOf(
      listOf({ own: { creatorId: asId<CreatorId>('ada') }, other: { creatorId: asId<CreatorId>('bob') } }),
    )
    const usual = await ask()
    expect([idsOf(usual), removedBy(usual, 'own-pin')]).toEqual([['other'], { 'own-pin': 1 }])
    expect(idsOf(await ask({ includeOwnPins: true }))).toEqual(['other', 'own'])
  })

  test("of the user's own does not come where users have pseudonyms, on any surface", async () => {
    const mine = { creatorId: asId<CreatorId>('ada') }
    const world = await aBlenderOf(listOf({ own: mine, other: { creatorId: asId<CreatorId>('bob') } }))
    const blender = pseudonymous(world.blender, (userId) => `pseudonym-of-${userId}`)
    const call = { timeoutMs: 10_000 }
    const home = await blender.getFeed(GetFeedRequest.fromPartial({ userId: 'ada' }), call)
    expect(idsOf(home)).toEqual(['other'])
    const related = await blender.getRelatedPins(
      GetRelatedPinsRequest.fromPartial({ userId: 'ada', pinId: 'elsewhere' }),
      call,
    )
    expect(idsOf(related)).toEqual(['other'])
    const all = await blender.getFeed(
      GetFeedRequest.fromPartial({ userId: 'ada', filter: { includeOwnPins: true } }),
      call,
    )
    expect(idsOf(all)).toContain('own')
    expect(idsOf(await blender.getFeed(GetFeedRequest.fromPartial({ userId: 'eve' }), call))).toContain('own')
  })

  test('that the user saved does not come, not even as a repeat, until the user takes the save back', async () => {
    const world = await aBlenderOf(listOf({ saved: {}, clicked: {} }))
    world.services.retrieve = (request) => ({
      ...foundPins(world.services.pins, { ...request, excludePinIds: [] }),
      shownBefore: 2,
    })
    await world.storeUser('ada', [anEngagement('save', 'saved'), anEngagement('click', 'clicked')])
    const answer = await world.ask()
    expect([idsOf(answer), removedBy(answer, 'already-saved')]).toEqual([['clicked'], { 'already-saved': 1 }])
    await world.storeUser('ada', [anEngagement('save', 'saved'), anEngagement('unsave', 'saved', startMs - 1)], 2)
    expect(idsOf(await world.ask())).toEqual(['clicked', 'saved'])
  })
})

describe('a blocked word', () => {
  test('keeps pins with it in their title or description away, until it is unblocked', async () => {
    const pins = listOf({ a: { title: 'Spiders, big' }, b: { description: 'a SPIDERS. web' }, c: { title: 'Spider' } })
    const world = await aBlenderOf(pins)
    const block = (action: 'block' | 'unblock', atMs: number) =>
      anEngagement(action, { kind: 'word', word: 'Spiders' }, atMs)
    await world.storeUser('ada', [block('block', startMs - 2)])
    const answer = await world.ask()
    expect([idsOf(answer), removedBy(answer, 'muted-word')]).toEqual([['c'], { 'muted-word': 2 }])
    await world.storeUser('ada', [block('block', startMs - 2), block('unblock', startMs - 1)], 2)
    expect(idsOf(await world.ask())).toEqual(['a', 'b', 'c'])
  })

  test('is not found beyond the words that are kept of a pin', async () => {
    const world = await aBlender({ config: { showUnlistedPins: false, maxWordsPerPin: 2 }, pins: ['a', 'b'] })
    const pins = listOf({ a: { title: 'one two three' }, b: { title: 'three' } })
    await world.tellCatalogue(pins.map((pin) => ({ kind: 'upsert', pin })))
    await world.storeUser('ada', [anEngagement('block', { kind: 'word', word: 'three' })])
    expect(idsOf(await world.feed({}))).toEqual(['a'])
  })
})

describe('the filter of a request', () => {
  const topic = (...topics: string[]) => ({ topics: topics.map((each) => asId<TopicId>(each)) })
  const pins = listOf({
    a: { ...topic('tea', 'green'), creatorId: asId<CreatorId>('ann'), createdAtMs: startMs - 1_000 },
    b: { ...topic('tea'), creatorId: asId<CreatorId>('bob'), createdAtMs: startMs - 60_000 },
    c: { ...topic('1', '2', '3', '4', '5', 'coffee'), creatorId: asId<CreatorId>('bob') },
  })

  test.each<[string, Partial<FeedFilter>, readonly string[], Record<string, number>]>([
    ['nothing', {}, ['a', 'b', 'c'], {}],
    ['topics', { topicIds: ['tea'] }, ['a', 'b'], { 'other-topic': 1 }],
    ['any of several topics', { topicIds: ['green', 'coffee'] }, ['a', 'c'], { 'other-topic': 1 }],
    ['creators', { creatorIds: ['bob'] }, ['b', 'c'], { 'other-creator': 1 }],
    ['both', { creatorIds: ['bob'], topicIds: ['tea'] }, ['b'], { 'other-topic': 1, 'other-creator': 1 }],
    ['age', { maxAgeMs: 10_000 }, ['a'], { 'too-old': 2 }],
    ['excluded pins', { excludePinIds: ['b'] }, ['a', 'c'], { excluded: 1 }],
    ['pins seen elsewhere', { seenPinIds: ['a', 'c'] }, ['b'], { 'seen-elsewhere': 2 }],
    ['topics that no pin has', { topicIds: ['milk'] }, [], { 'other-topic': 3 }],
  ])('restricts the feed by %s', async (_name, filter, expected, removed) => {
    const { ask } = await aBlenderOf(pins)
    const answer = await ask(filter)
    expect([idsOf(answer), removedBy(answer, 'requested')]).toEqual([expected, removed])
  })

  test('holds for related pins, where pins seen elsewhere count too', async () => {
    const world = await aBlenderOf(pins)
    const related = (filter: Partial<FeedFilter>) =>
      world.related({ pinId: 'c', filter: FeedFilter.fromPartial(filter) }).then(idsOf)
    expect(await related({ topicIds: ['green'] })).toEqual(['a'])
    expect(await related({ seenPinIds: ['a'] })).toEqual(['b'])
  })

  test('reaches the candidate service, with the switches of sources', async () => {
    const { ask, services } = await aBlenderOf(pins)
    const filter = { topicIds: ['tea'], creatorIds: ['bob'], boardIds: ['x y'], maxAgeMs: 5_000 }
    await ask(
      { ...filter, excludePinIds: ['c'] },
      { onlySources: ['even', 'catalogue-sweep'], withoutSources: ['odd'] },
    )
    expect(services.retrieved.at(-1)).toMatchObject({
      filter: { topicIds: ['tea'], creatorIds: ['bob'], boardIds: ['x y'], createdFromMs: startMs - 5_000 },
      excludePinIds: ['c'],
      sources: ['even', 'catalogue-sweep'],
      withoutSources: ['odd'],
      fillTo: 200,
    })
    await ask({}, { onlySources: ['even'] })
    expect(services.retrieved.at(-1)).toMatchObject({ filter: undefined, sources: ['even'], fillTo: 0 })
  })

  test('holds on every rung of the ladder: what cannot be checked there is left out', async () => {
    const world = await aBlenderOf(pins)
    await world.blender.refreshPopular(100)
    world.services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'away'))
    const tea = await world.ask({ topicIds: ['tea'] })
    expect([tea.degradation, idsOf(tea)]).toEqual([Degradation.POPULAR, ['a', 'b']])
    const boards = await world.ask({ boardIds: ['x'] })
    expect([boards.degradation, idsOf(boards)]).toEqual([Degradation.POPULAR, []])
  })

  test('does not make the last good feed of the user', async () => {
    const world = await aBlenderOf(pins)
    await world.feed({ filter: FeedFilter.fromPartial({ topicIds: ['green'] }), pageSize: 1 })
    await world.feed({ onlySources: ['odd'], pageSize: 1 })
    world.services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'away'))
    expect(await world.feed({})).toMatchObject({ degradation: Degradation.POPULAR })
  })

  test('a source that does not exist is an error of the request, with the name of its field', async () => {
    const world = await aBlenderOf(pins)
    const problem = 'without_sources names "odd?"; there are even, odd'
    world.services.retrieve = () => Promise.reject(new ContractError('CALL_INVALID_ARGUMENT', problem))
    await expect(world.feed({ withoutSources: ['odd?'] })).rejects.toMatchObject({
      code: 'CALL_INVALID_ARGUMENT',
      message: 'without_sources: names "odd?"; there are even, odd',
    })
    // Without names of sources it is a defect of the blender, and the feed still answers.
    expect((await world.feed({})).degradation).toBe(Degradation.POPULAR)
  })

  test.each<[Partial<FeedFilter>, string]>([
    [
      { topicIds: Array.from({ length: 101 }, () => 't') },
      'filter.topic_ids: holds 101 entries; at most 100 are allowed',
    ],
    [{ creatorIds: ['ann', ''] }, 'filter.creator_ids[1]: is empty'],
    [{ boardIds: [' x'] }, 'filter.board_ids[0]: begins or ends with a space'],
    [{ excludePinIds: Array.from({ length: 10_001 }, () => 'p') }, 'filter.exclude_pin_ids: holds 10001 entries'],
    [{ seenPinIds: ['a b'] }, 'filter.seen_pin_ids[0]: contains a space'],
    [{ allowedSafetyLabels: ['x'.repeat(65)] }, 'filter.allowed_safety_labels[0]: has 65 characters'],
    [{ maxAgeMs: 0 }, 'filter.max_age_ms: is 0; give milliseconds'],
    [{ userAge: 151 }, 'filter.user_age: is 151; give years, 0–150'],
  ])('names the field of %j', (filter, message) => {
    expect(() => checkFilter(FeedFilter.fromPartial(filter), startMs)).toThrow(message)
  })
})

describe('pins with the same picture', () => {
  const alike = { imageSignature: 'p:1' }
  const pins = listOf({ 'pin-1': alike, 'pin-2': alike, 'pin-3': {}, 'pin-4': { imageSignature: 'p:2' }, 'pin-5': {} })

  test('are one pin of a page, the best', async () => {
    const { ask } = await aBlenderOf(pins)
    const answer = await ask()
    expect(idsOf(answer)).toEqual(['pin-2', 'pin-3', 'pin-4', 'pin-5'])
    expect(removedBy(answer, 'same-picture')).toEqual({ 'same-picture': 1 })
  })

  test('are one pin of a window of pages; a repeat does not count', async () => {
    const { feed } = await aBlenderOf(pins)
    const pages = [await feed({ pageSize: 4, explain: true }), await feed({ pageSize: 4, explain: true })]
    expect(pages.map(idsOf)[0]).toEqual(['pin-2', 'pin-3', 'pin-4', 'pin-5'])
    expect(removedBy(pages[1]!, 'same-picture')).toMatchObject({ 'same-picture-served': 1 })
    expect(idsOf(pages[1]!)).toEqual(['pin-2', 'pin-3', 'pin-4', 'pin-5'])
  })
})

test('no pin of a page breaks a rule, on any rung; and none is missing', async () => {
  const someTime = fc.option(fc.integer({ min: -3, max: 3 }), { nil: null })
  const few = (names: readonly string[]) => fc.subarray([...names])
  const aPin = fc.record({
    availableFrom: someTime,
    expiresAt: someTime,
    createdAt: someTime,
    safetyLabels: few(['adult', 'blood']),
    minAge: fc.constantFrom(0, 0, 12, 18),
    topics: few(['t1', 't2', 't3']),
    creator: fc.constantFrom(null, 'ada', 'bob'),
    imageSignature: fc.constantFrom(null, null, 's1', 's2'),
  })
  const aFilter = fc.record({
    topicIds: few(['t1', 't9']),
    creatorIds: few(['bob']),
    maxAgeMs: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    allowedSafetyLabels: few(['adult', 'blood']),
    userAge: fc.option(fc.constantFrom(5, 12, 18), { nil: undefined }),
    includeOwnPins: fc.boolean(),
    excludePinIds: few(['pin-0', 'pin-1']),
  })
  const hourMs = 3_600_000
  const toMs = (hours: number | null) => (hours === null ? null : startMs + hours * hourMs)
  await fc.assert(
    fc.asyncProperty(fc.array(aPin, { maxLength: 12 }), aFilter, fc.boolean(), async (given, asked, isDown) => {
      const pins = given.map(({ availableFrom, expiresAt, createdAt, topics, creator, ...rest }, at): Pin =>
        aCataloguePin(`pin-${at}`, {
          ...rest,
          availableFromMs: toMs(availableFrom),
          expiresAtMs: toMs(expiresAt),
          createdAtMs: toMs(createdAt),
          topics: topics.map((each) => asId<TopicId>(each)),
          creatorId: creator === null ? null : asId<CreatorId>(creator),
        }),
      )
      const filter = { ...asked, maxAgeMs: asked.maxAgeMs === undefined ? undefined : asked.maxAgeMs * hourMs }
      const isAllowed = (pin: Pin): boolean =>
        (pin.availableFromMs === null || pin.availableFromMs <= startMs) &&
        (pin.expiresAtMs === null || startMs < pin.expiresAtMs) &&
        pin.safetyLabels.every((label) => filter.allowedSafetyLabels.includes(label)) &&
        (pin.minAge === 0 || pin.minAge <= (filter.userAge ?? -1)) &&
        (pin.creatorId !== 'ada' || filter.includeOwnPins) &&
        (filter.topicIds.length === 0 || pin.topics.some((each) => filter.topicIds.includes(each))) &&
        (filter.creatorIds.length === 0 || filter.creatorIds.some((each) => each === pin.creatorId)) &&
        (filter.maxAgeMs === undefined || (pin.createdAtMs ?? -Infinity) >= startMs - filter.maxAgeMs) &&
        !filter.excludePinIds.some((each) => each === pin.pinId)
      const world = await aBlenderOf(pins)
      await world.blender.refreshPopular(100)
      if (isDown) world.services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'away'))
      const shown = (await world.ask(filter, { atMs: startMs })).items.map(({ pinId }) => pinId)
      const byId = new Map(pins.map((pin) => [pin.pinId, pin]))
      const pictures = shown.map((pinId) => byId.get(asId<PinId>(pinId))!.imageSignature)
      const allowed = pins.filter(isAllowed)
      expect(shown.every((pinId) => isAllowed(byId.get(asId<PinId>(pinId))!))).toBe(true)
      const known = pictures.filter((picture) => picture !== null)
      expect(new Set(known).size).toBe(known.length)
      expect(new Set(known)).toEqual(
        new Set(allowed.flatMap(({ imageSignature: picture }) => (picture === null ? [] : [picture]))),
      )
      expect(pictures.length - known.length).toBe(allowed.filter((pin) => pin.imageSignature === null).length)
    }),
    { seed: 7, numRuns: 60 },
  )
})
