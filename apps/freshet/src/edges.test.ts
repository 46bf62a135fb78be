import { encodeMergeRequest } from '@freshet/contracts/codecs/user-merge'
import {
  Degradation,
  Evaluation,
  Freshness,
  GetFeedRequest,
  type GetFeedResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { formatToken } from '@freshet/contracts/tokens'
import type { Pin } from '@freshet/domain/pin'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { aCreator, aTopic, aWhole, type Whole } from './whole.fixture.ts'

let whole: Whole | null = null
let log: EventLog | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

const topics = 4
const topicOf = (pinId: string): number => Number(pinId.slice(4)) % topics
const idsOf = ({ items }: GetFeedResponse): string[] => items.map(({ pinId }) => pinId)
const full = { degradation: Degradation.NONE, reasons: [] }

/** `count` pins of 4 topics, each of its own creator. */
async function aCatalogue(
  count: number,
  more: (n: number) => Partial<Omit<Pin, 'pinId'>> = () => ({}),
): Promise<Whole> {
  whole = await aWhole({}, (seen) => (log = seen))
  if (count === 0) return whole
  await whole.pins(
    Array.from({ length: count }, (_, n) => {
      const fields = { topics: [aTopic(`topic-${n % topics}`)], creatorId: aCreator(`creator-${n}`), ...more(n) }
      return [`pin-${n}`, fields] as const
    }),
  )
  return whole
}

/** The rest of a page session. */
async function restOf(made: Whole, first: GetFeedResponse): Promise<GetFeedResponse[]> {
  const pages: GetFeedResponse[] = []
  for (let pageToken = first.nextPageToken; pageToken !== ''; pageToken = pages.at(-1)?.nextPageToken ?? '') {
    expect(pages.length).toBeLessThan(100)
    pages.push(await made.feed({ pageToken }))
  }
  return pages
}

describe('users at the edges', () => {
  it('a user never seen gets a full page, without a reason', async () => {
    const made = await aCatalogue(200)
    const feed = await made.feed({ userId: 'never-seen' })
    expect(feed).toMatchObject(full)
    expect(new Set(idsOf(feed)).size).toBe(25)
  })

  it('a user with one action gets a full page without the pin of the action', async () => {
    const made = await aCatalogue(200)
    await made.act({ action: 'save', on: 'pin-8' })
    const feed = await made.feed()
    expect(feed).toMatchObject(full)
    expect(new Set(idsOf(feed)).size).toBe(25)
    expect(idsOf(feed)).not.toContain('pin-8')
  })

  it('a user who saw everything gets the pins again, marked, and the reason', async () => {
    const made = await aCatalogue(40)
    await made.act(...Array.from({ length: 40 }, (_, n) => ({ action: 'impression' as const, on: `pin-${n}` })))
    const feed = await made.feed()
    expect(feed).toMatchObject({ degradation: Degradation.EXHAUSTED, reasons: ['FEED_ALL_SEEN'] })
    expect(new Set(idsOf(feed)).size).toBe(25)
    expect(feed.items.every(({ seenAgain }) => seenAgain)).toBe(true)
  })

  it('a topic that is blocked between two pages is gone from the next page of the session on', async () => {
    const made = await aCatalogue(200)
    const first = await made.feed()
    expect(idsOf(first).some((pinId) => topicOf(pinId) === 1)).toBe(true)
    await made.act({ action: 'block', on: { kind: 'topic', topicId: aTopic('topic-1') } })
    const rest = (await restOf(made, first)).flatMap(idsOf)
    expect(rest.filter((pinId) => topicOf(pinId) === 1)).toEqual([])
    const others = Array.from({ length: 200 }, (_, n) => `pin-${n}`).filter((pinId) => topicOf(pinId) !== 1)
    const shown = [...idsOf(first), ...rest]
    expect(new Set(shown).size).toBe(shown.length)
    expect(others.filter((pinId) => !shown.includes(pinId))).toEqual([])
    expect(idsOf(await made.feed({ userId: 'bob' })).some((pinId) => topicOf(pinId) === 1)).toBe(true)
  })

  it('a blocked word keeps pins away whatever its spelling, and another spelling unblocks it', async () => {
    const made = await aCatalogue(60, (n) => ({ title: ['My CATS!', 'A dog', 'ｃａｔｓ at home'][n % 3]! }))
    const post = async (action: 'block' | 'unblock', word: string) => {
      const occurredAt = new Date(made.now()).toISOString()
      const event = { eventId: `word-${made.now()}`, userId: 'ada', action, word, occurredAt }
      const clock = { now: () => made.now(), sleep: () => new Promise<void>(() => {}) }
      const config = z.object(ingestSettings).parse({})
      const ingest = createIngest({ log: log!, clock, config, metrics: createMetrics(), report: silentReport })
      const answer = await ingest.takeEngagements({
        events: [event],
        read: parseEngagementJson,
        single: true,
        bytes: 1,
        clock: { sentAtMs: null, offsetMs: 0 },
      })
      expect(answer).toMatchObject({ kind: 'taken', accepted: 1 })
      await made.act()
      await made.advance(1_000)
    }
    const hasCats = async () =>
      idsOf(await made.feed({ evaluation: Evaluation.fromPartial({ dryRun: true }) })).some(
        (pinId) => Number(pinId.slice(4)) % 3 !== 1,
      )
    expect(await hasCats()).toBe(true)
    await post('block', 'Cats')
    expect(await hasCats()).toBe(false)
    await post('unblock', 'cats ')
    expect(await hasCats()).toBe(true)
    await post('block', 'ＣＡＴＳ')
    expect(await hasCats()).toBe(false)
    await post('unblock', 'CATS')
    expect(await hasCats()).toBe(true)
  })

  it('an anonymous user who becomes known: the first feed reflects the past, and repeats nothing of it', async () => {
    const made = await aCatalogue(200)
    const before = await made.feed({ userId: 'anon' })
    await made.act(
      { userId: 'anon', action: 'block', on: { kind: 'topic', topicId: aTopic('topic-1') } },
      { userId: 'anon', action: 'save', on: 'pin-8' },
      ...idsOf(before).map((on) => ({ userId: 'anon', action: 'impression' as const, on })),
    )
    const atMs = made.now()
    const value = encodeMergeRequest({
      ...{ fromUserId: 'anon', intoUserId: 'ada', occurredAtMs: atMs, receivedAtMs: atMs },
    })
    const [position] = await log!.append('engagements.v1', [{ key: 'anon', value, partition: null }])
    const token = formatToken({ topic: 'engagements.v1', ...position!, log: '', isMerge: true })
    const feed = await made.feed({ after: [token] })
    expect(feed).toMatchObject({ ...full, freshness: Freshness.CURRENT })
    expect(idsOf(feed)).toHaveLength(25)
    expect(idsOf(feed).filter((pinId) => topicOf(pinId) === 1 || pinId === 'pin-8')).toEqual([])
    expect(idsOf(feed).filter((pinId) => idsOf(before).includes(pinId))).toEqual([])
  })
})

describe('catalogues and filters at the edges', () => {
  it('a locale with ten pins: the ten, and that nothing else is eligible', async () => {
    const made = await aCatalogue(200, (n) => ({ locale: n < 10 ? 'fi' : 'en' }))
    const ten = Array.from({ length: 10 }, (_, n) => `pin-${n}`)
    const first = await made.feed({ locale: 'fi' })
    expect(idsOf(first).toSorted()).toEqual(ten)
    expect(first).toMatchObject({ ...full, nextPageToken: '' })
    await made.advance(10_000)
    const again = await made.feed({ locale: 'fi' })
    expect(again).toMatchObject({ degradation: Degradation.EXHAUSTED, reasons: ['FEED_ALL_SEEN'] })
    expect(idsOf(again).toSorted()).toEqual(ten)
  })

  it('an empty catalogue: an empty page and the reason, for a user never seen and for one with actions', async () => {
    const made = await aCatalogue(0)
    const empty = {
      ...{ items: [], nextPageToken: '' },
      ...{ degradation: Degradation.EXHAUSTED, reasons: ['FEED_NOTHING_ELIGIBLE'] },
    }
    expect(await made.feed({ userId: 'never-seen' })).toMatchObject(empty)
    await made.act({ action: 'save', on: 'not-in-the-catalogue' })
    expect(await made.feed()).toMatchObject(empty)
  })

  it.each([
    ['an unknown topic', { topicIds: ['unknown'] }],
    ['two parts that no pin has together', { topicIds: ['topic-1'], creatorIds: ['creator-0'] }],
    ['a board without pins', { boardIds: ['unknown'] }],
    ['an age that no pin has', { maxAgeMs: 1 }],
  ])('a filter that excludes everything, %s: an empty page and the reason; then feeds go on', async (_what, filter) => {
    const made = await aCatalogue(200)
    await made.advance(10_000)
    const feed = await made.feed(GetFeedRequest.fromPartial({ userId: 'ada', filter }))
    expect(feed).toMatchObject({ degradation: Degradation.EXHAUSTED, reasons: ['FEED_NOTHING_ELIGIBLE'] })
    expect(feed).toMatchObject({ items: [], nextPageToken: '' })
    const next = await made.feed()
    expect(next).toMatchObject(full)
    expect(idsOf(next)).toHaveLength(25)
  })
})
