import { bytesOf } from '@freshet/contracts/bytes/columns'
import { describe, expect, test } from 'vitest'
import { formatFeedId, parseFeedId } from '@freshet/contracts/feed-id'
import { ExplainFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { Action, Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { Attribution } from '@freshet/contracts/ports/calls'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { partitionOf } from '@freshet/domain/partition'
import { aBlender, anEngagement, foundPins, partitions, startMs } from '../blender.harness.ts'
import { explainFeed } from './explain-feed.ts'

async function started(config: Parameters<typeof aBlender>[0] = {}) {
  const made = await aBlender(config)
  const explain = (request: Partial<ExplainFeedRequest>, timeoutMs = 500) =>
    made.settle(made.blender.explainFeed(ExplainFeedRequest.fromPartial(request), { timeoutMs }))
  return { ...made, explain }
}

describe('ExplainFeed', () => {
  test('says of each pin what found it and what was predicted, from the record', async () => {
    const { explain, feed, blender, settle, clock } = await started()
    const { feedId, items } = await feed({ userId: 'ada', pageSize: 3, locale: 'de', sessionId: 's1' })
    await settle(blender.flush())
    await clock.advance(3_600_000)
    const answer = await explain({ feedId })
    expect(answer).toMatchObject({
      ...{ feedId, userId: 'ada', atMs: startMs, surface: Surface.HOME, locale: 'de', sessionId: 's1' },
      ...{ modelVersion: 'fake-1', rankingPlan: 'fake-plan', absence: undefined },
    })
    expect(answer.pins.map(({ pinId }) => pinId)).toEqual(items.map(({ pinId }) => pinId))
    expect(answer.stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['retrieve', 'rank', 'page']))
    const [first] = answer.pins
    expect(first).toMatchObject({
      position: 0,
      utility: items[0]!.utility,
      sources: [{ source: items[0]!.sources[0] }],
      heads: [
        { head: 'click', factor: 1 },
        { head: 'save', value: 0.25, factor: 1 },
        { head: 'dwell', factor: 1 },
      ],
      features: [{ name: 'number' }, { name: 'half', value: 0.5 }],
    })
    expect(first!.sources[0]!.rank).toBeGreaterThanOrEqual(0)
  })

  test('names the actions of the user that a source started from, on next pages too', async () => {
    const { explain, feed, storeUser, services } = await started()
    await storeUser('ada', [anEngagement('click', 'pin-1'), anEngagement('save', 'pin-2', startMs - 30_000)])
    services.retrieve = (request) => {
      const found = foundPins(services.pins, request)
      // 9 is beyond the actions of the request.
      const even = { ...found.sources[0]!, seeds: bytesOf(Uint16Array.of(1, 9, 0)) }
      return { ...found, sources: [even, ...found.sources.slice(1)] }
    }
    const seeds = [
      { pinId: 'pin-2', action: Action.SAVE, occurredAtMs: expect.any(Number) as number },
      { pinId: 'pin-1', action: Action.CLICK, occurredAtMs: expect.any(Number) as number },
    ]
    const first = await feed({ userId: 'ada', pageSize: 4, explain: true })
    const next = await feed({ userId: 'ada', pageSize: 4, pageToken: first.nextPageToken, explain: true })
    for (const page of [first, next]) {
      expect(page.seeds).toEqual([{ source: 'even', seeds }])
      for (const { sources } of (await explain({ feedId: page.feedId })).pins)
        expect(sources.map((found) => [found.source, found.seeds])).toEqual([
          [sources[0]!.source, sources[0]!.source === 'even' ? seeds : []],
        ])
    }
    expect((await feed({ userId: 'ada', pageSize: 4 })).seeds).toEqual([])
  })

  test('says at which stage a pin fell, with its utility against the last pin of the page', async () => {
    const { explain, feed, storeUser, services } = await started()
    services.pins = Array.from({ length: 20 }, (_, n) => `pin-${n}`)
    await storeUser('ada', [anEngagement('closeup', 'pin-19')])
    const { feedId, items } = await feed({ userId: 'ada', pageSize: 3 })
    const shown = items.map(({ pinId }) => pinId)
    const left = services.pins.find((pinId) => !shown.includes(pinId) && pinId !== 'pin-19')!
    const below = (await explain({ feedId, pinId: left })).absence
    expect(below).toMatchObject({
      ...{ pinId: left, wasCandidate: true, stage: 'page', reason: 'below-page' },
      ...{ utility: Number(left.slice(4)), lastUtility: items.at(-1).utility },
    })
    expect(below!.text).toContain('the stage page removed it (below-page)')
    const seen = (await explain({ feedId, pinId: 'pin-19' })).absence
    expect(seen).toMatchObject({ wasCandidate: true, stage: 'seen', reason: 'seen' })
    expect(seen).not.toHaveProperty('utility')
    const never = (await explain({ feedId, pinId: 'nowhere' })).absence
    expect(never).toMatchObject({ wasCandidate: false, stage: '', sources: [] })
    expect(never!.text).toContain('was never a candidate')
    const there = await explain({ feedId, pinId: shown[1]! })
    expect(there.pins.map(({ pinId, position }) => [pinId, position])).toEqual([[shown[1], 1]])
    expect(there.absence).toBe(undefined)
  })

  test('of a next page it does not say that no source found a pin: none was asked', async () => {
    const { explain, feed } = await started({ config: { maxReservePins: 30 } })
    const { nextPageToken: pageToken } = await feed({ pageSize: 3 })
    const { feedId } = await feed({ pageSize: 3, pageToken })
    const { text } = (await explain({ feedId, pinId: 'pin-1' })).absence!
    expect(text).toContain('was never a candidate: this next page was made of ranked pins that the session kept')
    expect(text).not.toContain('none of the sources')
  })

  test('without a trace it says that the pin may have been a candidate', async () => {
    const { explain, feed } = await started({ config: { recordTrace: false, maxUnshownCandidates: 0 } })
    const { feedId } = await feed({ pageSize: 3 })
    expect((await explain({ feedId, pinId: 'pin-1' })).absence?.text).toContain('has no trace')
  })

  test('answers a feed that is not written yet, also while the log does not answer', async () => {
    const { explain, feed, log } = await started({ config: { unwrittenLingerMs: 5_000 } })
    const { feedId } = await feed({ pageSize: 3 })
    const append = log.append.bind(log)
    log.append = () => new Promise(() => {})
    expect((await explain({ feedId })).pins).toHaveLength(3)
    log.append = append
  })

  test('related pins without a user are found by their own id', async () => {
    const { explain, related, blender, settle, clock } = await started()
    const { feedId } = await related({ pageSize: 4 })
    await settle(blender.flush())
    await clock.advance(60_000)
    expect(await explain({ feedId })).toMatchObject({ userId: '', relatedToPinId: 'pin-0', pins: { length: 4 } })
  })

  test.each([
    ['gone', 'this is not a feed id of this version'],
    [formatFeedId({ receivedAtMs: startMs - 40 * 86_400_000, partition: 0 }, '00000000000'), 'served 40 days ago'],
    [formatFeedId({ receivedAtMs: startMs, partition: 1 }, '00000000000'), 'may not be written yet'],
    [formatFeedId({ receivedAtMs: startMs - 60_000, partition: 1 }, '00000000000'), 'it was a dry run'],
    [formatFeedId({ receivedAtMs: startMs, partition: 99 }, '00000000000'), 'names partition 99; there are 4'],
  ])('%s is missing, with the reason', async (feedId, why) => {
    const { explain } = await started()
    await expect(explain({ feedId })).rejects.toMatchObject({
      code: 'FEED_MISSING',
      message: expect.stringContaining(why) as string,
    })
  })

  test('a log that does not answer: CALL_DEADLINE_EXCEEDED at the deadline', async () => {
    const { explain, log } = await started()
    log.positionsAt = (_topic, _time, call) =>
      new Promise((_resolve, reject) => {
        call?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    const feedId = formatFeedId({ receivedAtMs: startMs, partition: 1 }, '00000000000')
    await expect(explain({ feedId }, 50)).rejects.toMatchObject({ code: 'CALL_DEADLINE_EXCEEDED' })
  })
})

test('feed ids carry the time and the partition of the user', async () => {
  const { feed } = await started()
  const { feedId } = await feed({ userId: 'ada', pageSize: 3 })
  expect(parseFeedId(feedId)).toEqual({ receivedAtMs: startMs, partition: partitionOf('ada', partitions) })
})

test('the ranker has half of the time that the search for the record left', async () => {
  const { log, clock } = await aBlender()
  const feed = FeedServed.fromPartial({ feedId: 'f', pinIds: ['pin-1'], modelVersion: 'm' })
  const given: number[] = []
  let nowMs = startMs
  const find = () => {
    nowMs += 300
    return FeedServed.encode(feed).finish()
  }
  const attribute: Attribution['attribute'] = (_request, { timeoutMs }) => {
    given.push(timeoutMs)
    return Promise.reject(new Error('away'))
  }
  const ports = { log, clock: { ...clock, now: () => nowMs }, outbox: { find }, ranker: { attribute }, isOn: true }
  await explainFeed(ExplainFeedRequest.fromPartial({ feedId: 'f' }), { timeoutMs: 500 }, ports)
  expect(given).toEqual([100])
})

describe('a blender that does not explain', () => {
  test('refuses every feed with EXPLAIN_SWITCHED_OFF', async () => {
    const { explain, feed } = await started({ config: { answersExplainFeed: false } })
    const { feedId } = await feed({ userId: 'ada', pageSize: 3 })
    await expect(explain({ feedId })).rejects.toMatchObject({ code: 'EXPLAIN_SWITCHED_OFF' })
  })
})
