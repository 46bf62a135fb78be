import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  aPage,
  aStore,
  feedOr,
  idsOf,
  json,
  settled,
  setUp,
  startMs,
  taking,
  unavailable,
  type Call,
} from './fake.fixture.ts'

describe('tracking', () => {
  it('sends events tracked within the interval as one batch, with the time of sending', async () => {
    const { track, calls, pass } = setUp()
    track()
    await pass(400)
    track()
    expect(calls).toEqual([])
    await pass(600)
    expect(idsOf(calls)).toEqual([['e0', 'e1']])
    expect(calls[0]).toMatchObject({
      url: 'https://events.example/v1/engagements',
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, keepalive: true },
      body: {
        engagements: [
          { eventId: 'e0', userId: 'u1', action: 'click', pinId: 'p', occurredAt: '2026-01-31T12:00:00.000Z' },
          { occurredAt: '2026-01-31T12:00:00.400Z' },
        ],
        sentAt: '2026-01-31T12:00:01.000Z',
      },
    })
  })

  it('sends a full batch immediately', async () => {
    const { track, calls, pass } = setUp({ maxBatchEvents: 3 })
    for (let i = 0; i < 7; i++) track()
    await pass(0)
    expect(idsOf(calls)).toEqual([['e0', 'e1', 'e2'], ['e3', 'e4', 'e5'], ['e6']])
  })

  it('keeps given ids and times', async () => {
    const { client, calls } = setUp()
    expect(await client.track({ action: 'hide', pinId: 'p', eventId: 'mine', occurredAtMs: startMs - 5000 })).toBe(
      'mine',
    )
    await client.flush()
    expect(calls[0]?.body.engagements[0]).toMatchObject({ eventId: 'mine', occurredAt: '2026-01-31T11:59:55.000Z' })
  })

  it('splits batches so that they can outlive the page', async () => {
    const { client, track, calls } = setUp({ maxBatchEvents: 1000 })
    for (let i = 0; i < 400; i++) track('u'.repeat(128), { feedId: 'f'.repeat(128) })
    await client.flush()
    expect(calls.length).toBeGreaterThan(1)
    expect(calls.every(({ init }) => init.keepalive === true && (init.body as string).length <= 60_000)).toBe(true)
    expect(idsOf(calls).flat()).toHaveLength(400)
  })
})

describe('retrying', () => {
  it('sends the same ids again after growing pauses, until they are accepted', async () => {
    const { track, calls, server, pass, errors, now } = setUp({ initialRetryMs: 100, maxRetryMs: 300 })
    server.answer = () => new TypeError('network is down')
    track()
    await pass(1_000)
    const at = [now()]
    expect(calls).toHaveLength(1)
    for (const pause of [100, 200, 300, 300]) {
      await pass(pause - 1)
      const before = calls.length
      await pass(1)
      expect(calls.length).toBe(before + 1)
      at.push(now())
    }
    server.answer = taking()
    await pass(300)
    expect(new Set(idsOf(calls).flat())).toEqual(new Set(['e0']))
    expect(errors).toHaveLength(5)
    await pass(10_000)
    expect(calls).toHaveLength(6)
  })

  it('sends the time of each attempt, not of the first', async () => {
    const { track, calls, server, pass } = setUp({ initialRetryMs: 100 })
    server.answer = unavailable()
    track()
    await pass(1_100)
    expect(calls.map(({ body }) => body.sentAt)).toEqual(['2026-01-31T12:00:01.000Z', '2026-01-31T12:00:01.100Z'])
  })

  it('A4: sends the clock offset that the first answer proves, and keeps it', async () => {
    const { client, track, calls, server, pass, now } = setUp()
    const behindMs = 3_600_000
    let tookMs = 4_000
    server.answer = async (call) => {
      const arrivedMs = now() + behindMs + tookMs
      await pass(2 * tookMs)
      const receipts = call.body.engagements.map(({ eventId: id }) => ({ id, token: 'e0-1' }))
      return json(202, { receipts, receivedAt: new Date(arrivedMs).toISOString() })
    }
    for (tookMs of [4_000, 100, 2_000]) {
      track()
      await client.flush()
    }
    const offsets = calls.map(({ body }) => body.clockOffsetMs)
    expect(offsets).toEqual([undefined, behindMs - 4_000, behindMs - 4_000])
  })

  it('A4: resends events that were refused for a wrong clock, once it knows the offset', async () => {
    const { client, track, calls, server, rejected, now } = setUp()
    const receivedAt = new Date(now() + 365 * 86_400_000).toISOString()
    const refuse = (call: Call) =>
      json(400, {
        receipts: call.body.engagements.map(({ eventId: id }) => ({
          id,
          code: 'EVENT_TIME_PAST',
          field: 'occurredAt',
          message: 'is 365 days ago',
        })),
        receivedAt,
      })
    const take = server.answer
    server.answer = (call) => (call.body.clockOffsetMs === undefined ? refuse(call) : take(call))
    track()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(idsOf(calls)).toEqual([['e0'], ['e0']])
    expect(rejected).toEqual([])
    server.answer = refuse
    track()
    await client.flush()
    expect(rejected).toMatchObject([{ event: { eventId: 'e1' }, problem: { code: 'EVENT_TIME_PAST' } }])
  })

  it('waits for the time in Retry-After', async () => {
    const { track, calls, server, pass } = setUp()
    server.answer = unavailable('7')
    track()
    await pass(1_000)
    await pass(6_999)
    expect(calls).toHaveLength(1)
    await pass(1)
    expect(calls).toHaveLength(2)
  })

  it('gives up an attempt without an answer in time', async () => {
    const { client, track, server, pass, errors } = setUp({ requestTimeoutMs: 2_000 })
    server.answer = () => new Promise<Response>(() => undefined)
    track()
    const flushed = client.flush()
    await pass(2_000)
    expect(await flushed).toEqual({ left: 1 })
    expect(errors).toEqual(['timeout'])
  })

  it('never has two requests in flight, so that the order stays', async () => {
    const { client, track, calls, server } = setUp({ maxBatchEvents: 2 })
    let open = 0
    let mostOpen = 0
    const take = taking()
    server.answer = async (call) => {
      mostOpen = Math.max(mostOpen, ++open)
      await settled()
      open--
      return take(call) as Response
    }
    for (let i = 0; i < 9; i++) {
      track()
      await Promise.resolve()
    }
    await Promise.all([client.flush(), client.flush()])
    expect(mostOpen).toBe(1)
    expect(idsOf(calls).flat()).toEqual(Array.from({ length: 9 }, (_, i) => `e${i}`))
  })

  it('sends an event that was tracked at the moment a batch ended', async () => {
    const { track, calls, client, pass } = setUp({ maxBatchEvents: 1 })
    track()
    for (let i = 0; i < 30; i++) {
      await Promise.resolve()
      track()
    }
    await pass(5_000)
    expect(client.counts().accepted).toBe(31)
    expect(idsOf(calls).flat()).toHaveLength(31)
  })

  it('loses nothing and keeps the order, whatever the server answers in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('ok', 'down', '503', '413', 'track'), { maxLength: 40 }),
        async (plan) => {
          const { client, track, calls, server, pass, dropped } = setUp({ maxBatchEvents: 4 })
          const accepted: string[] = []
          const take = taking()
          let tracked = 0
          const next = (): void => {
            track()
            tracked++
          }
          next()
          server.answer = (call) => {
            const step = plan.shift() ?? 'ok'
            if (step === 'track') next()
            if (step === 'down') return new TypeError('down')
            if (step === '503') return unavailable()(call)
            if (step === '413' && call.body.engagements.length > 1) return json(413, {})
            accepted.push(...call.body.engagements.map(({ eventId }) => eventId))
            return take(call)
          }
          for (let i = 0; i < 3; i++) next()
          await pass(40 * 30_000)
          expect(client.counts().accepted).toBe(tracked)
          expect(dropped).toEqual([])
          expect(accepted).toEqual(Array.from({ length: tracked }, (_, i) => `e${i}`))
          expect(calls.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('giving up', () => {
  it('reports events that the server rejects, each with its problem, and counts the others as accepted', async () => {
    const { client, track, server, rejected } = setUp()
    const problem = {
      code: 'EVENT_ID_INVALID',
      field: 'engagements[1].pinId',
      message: 'engagements[1].pinId is empty',
    }
    server.answer = () =>
      json(202, {
        receipts: [
          { id: 'e0', token: 'e0-4' },
          { id: 'e1', ...problem },
        ],
      })
    track()
    track()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(rejected).toMatchObject([{ event: { eventId: 'e1', action: 'click', pinId: 'p' }, problem }])
    expect(client.tokenOf('u1')).toBe('e0-4')
    expect(client.counts()).toEqual({ tracked: 2, accepted: 1, rejected: 1, dropped: {} })
  })

  it.each([400, 404, 415, 422])(
    'reports each event of a batch that is refused with %d, and continues',
    async (status) => {
      const { client, track, server, rejected, calls } = setUp()
      server.answer = () => json(status, { error: { code: 'NO', message: 'no', field: 'f' } })
      track()
      track()
      expect(await client.flush()).toEqual({ left: 0 })
      expect(calls).toHaveLength(1)
      expect(rejected.map(({ event, problem }) => [event.eventId, problem])).toEqual([
        ['e0', { code: 'NO', field: 'f', message: 'no' }],
        ['e1', { code: 'NO', field: 'f', message: 'no' }],
      ])
      server.answer = taking()
      track()
      await client.flush()
      expect(client.counts().accepted).toBe(1)
    },
  )

  it.each([408, 429, 500, 502, 503, 504, 200, 302])('sends again after %d', async (status) => {
    const { client, track, server, rejected } = setUp()
    server.answer = () => new Response(status === 302 ? null : '<html>', { status })
    track()
    expect(await client.flush()).toEqual({ left: 1 })
    server.answer = taking()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(rejected).toEqual([])
    expect(client.counts().accepted).toBe(1)
  })

  it.each([401, 403])('waits where a server of ours answers %d, until the keys are there', async (status) => {
    const { client, track, server, rejected, errors } = setUp({ writeKey: 'fw_1' })
    server.answer = () => json(status, { error: { code: 'KEY_UNKNOWN', message: 'no such key', field: '' } })
    track()
    expect(await client.flush()).toEqual({ left: 1 })
    expect(errors).toEqual(['no such key'])
    server.answer = taking()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(rejected).toEqual([])
  })

  it.each(['<html>', '{"error":"no such page"}', '{"error":{"code":404}}', '{"error":null}'])(
    'ends nothing by the answer %s of something else than our servers',
    async (body) => {
      const { client, track, server } = setUp()
      server.answer = () => new Response(body, { status: 404 })
      track()
      expect(await client.flush()).toEqual({ left: 1 })
      server.answer = taking()
      expect(await client.flush()).toEqual({ left: 0 })
      expect(client.counts()).toMatchObject({ accepted: 1, rejected: 0 })
    },
  )

  it('drops what the storage has damaged, and sends the rest', async () => {
    const { store } = aStore()
    const damaged = ['{"eventId":"x"', undefined as unknown as string]
    await store.put(damaged.map((json, i) => ({ id: `x${i}`, user: 'u', at: startMs, json })))
    const { client, track, dropped } = setUp({}, { store })
    track()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(dropped).toEqual([0, 1].map((i) => ({ event: { eventId: `x${i}` }, reason: 'damaged' })))
    expect(client.counts().accepted).toBe(1)
  })

  it('drops the oldest when there are too many bytes, and says so', async () => {
    const { client, track, server, dropped, pass } = setUp({ maxQueuedBytes: 3_000 })
    server.answer = unavailable()
    track()
    await client.flush()
    for (let i = 0; i < 14; i++) {
      track()
      await pass(0)
    }
    const ids = dropped.map(({ event, reason }) => [event.eventId, reason])
    expect(ids.length).toBeGreaterThan(4)
    expect(ids).toEqual(ids.map((_, i) => [`e${i}`, 'queue full']))
    const { left } = await client.flush()
    expect(left + ids.length).toBe(15)
    expect(client.counts().dropped).toEqual({ 'queue full': ids.length })
  })

  it('never keeps more than twice the bound, even while a request is under way', async () => {
    const { track, server, dropped, pass } = setUp({ maxQueuedBytes: 3_000, maxBatchEvents: 1 })
    server.answer = () => new Promise(() => undefined)
    for (let i = 0; i < 100; i++) {
      track()
      await pass(0)
    }
    expect(dropped.length).toBeGreaterThan(75)
  })

  it('drops events that could not be sent for too long', async () => {
    const { client, track, server, dropped, pass } = setUp({ maxAgeMs: 60_000, maxRetryMs: 1_000 })
    server.answer = unavailable()
    track()
    await pass(50_000)
    track()
    await pass(12_000)
    expect(dropped).toMatchObject([{ event: { eventId: 'e0' }, reason: 'too old' }])
    expect(await client.flush()).toEqual({ left: 1 })
  })

  it('sends once more when closed, then reports the remaining events and stops', async () => {
    const { client, track, server, dropped, timers } = setUp()
    server.answer = unavailable()
    track()
    await client.close()
    expect(dropped).toMatchObject([{ event: { eventId: 'e0' }, reason: 'closed' }])
    track()
    await settled()
    expect(dropped).toHaveLength(2)
    expect(timers()).toBe(0)
  })
})

describe('the calls of actions', () => {
  it('exist for each action, and carry what a feed item says of its place, zeros included', async () => {
    const { client, calls } = setUp()
    const item = {
      pinId: 'p1',
      feedId: 'f1',
      position: 0,
      surface: 'home',
      utility: 3,
      sources: ['s'],
      seenAgain: false,
    } as const
    await Promise.all([
      client.impression(item),
      client.closeup('p2', { dwellMs: 0 }),
      client.click(item),
      client.save(item, { boardId: 'shoes' }),
      client.unsave('p1'),
      client.hide('p1'),
      client.unhide('p1'),
      client.report('p1'),
      client.unreport('p1'),
      client.dismiss('p1'),
      client.follow({ creatorId: 'ann' }),
      client.unfollow({ topicId: 'tea' }),
      client.block({ word: 'spiders' }),
      client.unblock({ boardId: 'b' }),
      client.flush(),
    ])
    const sent = calls[0]!.body.engagements
    const place = { feedId: 'f1', position: 0, surface: 'home' }
    expect(sent.map(({ eventId: _, userId: __, sessionId: ___, occurredAt: ____, ...others }) => others)).toEqual([
      { action: 'impression', pinId: 'p1', ...place },
      { action: 'closeup', pinId: 'p2', dwellMs: 0 },
      { action: 'click', pinId: 'p1', ...place },
      { action: 'save', pinId: 'p1', boardId: 'shoes', ...place },
      { action: 'unsave', pinId: 'p1' },
      { action: 'hide', pinId: 'p1' },
      { action: 'unhide', pinId: 'p1' },
      { action: 'report', pinId: 'p1' },
      { action: 'unreport', pinId: 'p1' },
      { action: 'dismiss', pinId: 'p1' },
      { action: 'follow', creatorId: 'ann' },
      { action: 'unfollow', topicId: 'tea' },
      { action: 'block', word: 'spiders' },
      { action: 'unblock', boardId: 'b' },
    ])
    expect(new Set(sent.map(({ userId }) => userId))).toEqual(new Set([client.userId()]))
    expect(new Set(sent.map(({ sessionId }) => sessionId)).size).toBe(1)
  })

  it('keep what is not ASCII', async () => {
    const { client, calls } = setUp()
    await client.block({ word: 'Żółw 🐢' })
    await client.flush()
    expect(calls[0]!.body.engagements[0]).toMatchObject({ word: 'Żółw 🐢' })
  })
})

describe('feeds', () => {
  const feed = {
    feedId: 'f1',
    items: [{ pinId: 'p9', utility: 0.5 }],
    degradation: 'DEGRADATION_NONE',
    freshness: 'FRESHNESS_CURRENT',
  }

  it("send queued events first and pass the user's last token", async () => {
    const { client, track, calls, server } = setUp()
    server.answer = feedOr(feed, taking())
    track('u1')
    track('u1')
    track('u2')
    const page = await client.feed({ userId: 'u1', pageSize: 10, after: ['e7-1'] })
    expect(calls.map(({ url }) => url)).toEqual([
      'https://events.example/v1/engagements',
      'https://feed.example/v1/feed',
    ])
    expect(calls[1]?.body).toEqual({ userId: 'u1', pageSize: 10, after: ['e7-1', 'e0-1'] })
    expect(page).toEqual({
      feedId: 'f1',
      items: [{ pinId: 'p9', position: 0, utility: 0.5, sources: [], seenAgain: false, feedId: 'f1', surface: 'home' }],
      nextPageToken: '',
      degradation: 'NONE',
      seeds: [],
      reasons: [],
      freshness: 'CURRENT',
    })
  })

  it('name the pins of events that the server does not have yet as seen', async () => {
    const { client, track, calls, server, pass } = setUp({ maxFlushWaitMs: 300 })
    server.answer = feedOr(feed, () => new Promise(() => undefined))
    track('u1', { pinId: 'a', action: 'impression' })
    track('u1', { pinId: 'b', action: 'impression' })
    track('u2', { pinId: 'c', action: 'impression' })
    const page = client.feed({ userId: 'u1', filter: { topicIds: ['tea'], seenPinIds: ['x'] } })
    await pass(300)
    expect((await page).feedId).toBe('f1')
    expect(calls.at(-1).body).toMatchObject({ filter: { topicIds: ['tea'], seenPinIds: ['x', 'a', 'b'] } })
  })

  it('of related pins and of similar pictures go to their own calls', async () => {
    const { client, calls, server } = setUp({ client: { platform: 'web' }, locale: 'de-AT' })
    server.answer = feedOr(feed, taking())
    const [item] = (await client.related({ pinId: 'p1', feedId: 'f0' }, { pageSize: 3 })).items
    expect(item).toMatchObject({ feedId: 'f1', surface: 'related', position: 0 })
    await client.search({ embedding: [0.5, 1], userId: 'u1' })
    expect(calls.map(({ url, body }) => [url.replace(/.*v1/, ''), body])).toEqual([
      [
        '/related',
        {
          pinId: 'p1',
          pageSize: 3,
          after: [],
          userId: client.userId(),
          sessionId: expect.any(String) as string,
          client: { platform: 'web' },
          locale: 'de-AT',
        },
      ],
      ['/search', { embedding: [0.5, 1], after: [], userId: 'u1', client: { platform: 'web' }, locale: 'de-AT' }],
    ])
  })

  it('reject with the code of the server, and when they are cancelled', async () => {
    const { client, server } = setUp()
    server.answer = () => json(400, { error: { code: 'CALL_INVALID_ARGUMENT', message: 'pageSize is 1000' } })
    await expect(client.feed({ userId: 'u1' })).rejects.toMatchObject({ status: 400, code: 'CALL_INVALID_ARGUMENT' })
    server.answer = () => new Promise(() => undefined)
    const ending = new AbortController()
    const page = client.feed({ userId: 'u1', signal: ending.signal })
    ending.abort(new Error('changed my mind'))
    await expect(page).rejects.toMatchObject({ status: 0, code: 'NO_ANSWER', message: 'changed my mind' })
  })

  it('remember the tokens of a bounded number of users', async () => {
    const { client, track } = setUp({ maxUsers: 2 })
    for (const user of ['a', 'b', 'c']) track(user)
    await client.flush()
    expect(['a', 'b', 'c'].map((user) => client.tokenOf(user))).toEqual([null, 'e0-0', 'e0-0'])
  })
})

describe('in a page', () => {
  it('events are sent when the page is hidden, shown again or perhaps online', async () => {
    const { page, show, fire } = aPage()
    const { track, calls } = setUp({}, { page })
    track()
    show(false)
    await settled()
    track()
    show(true)
    await settled()
    track()
    fire('online')
    await settled()
    expect(idsOf(calls)).toEqual([['e0'], ['e1'], ['e2']])
  })

  it('events that are not in flight are handed to the browser when the page closes, and stay queued', async () => {
    const { page, fire } = aPage()
    const { client, track, calls, server, pass } = setUp({ maxBatchEvents: 2 }, { page })
    server.answer = () => new Promise(() => undefined)
    track()
    track()
    await pass(0)
    track()
    fire('pagehide')
    expect(idsOf(calls)).toEqual([['e0', 'e1'], ['e2']])
    expect(calls[1]!.init.keepalive).toBe(true)
    expect(client.counts().accepted).toBe(0)
  })

  it('what is handed over stays below the 64 KiB that browsers allow, with what is in flight', async () => {
    const { page, fire } = aPage()
    const { track, calls, server, pass } = setUp({ maxBatchEvents: 100 }, { page })
    server.answer = () => new Promise(() => undefined)
    for (let i = 0; i < 400; i++) track('u'.repeat(128), { feedId: 'f'.repeat(128) })
    await pass(0)
    fire('pagehide')
    expect(calls).toHaveLength(2)
    const bytes = calls.reduce((sum, { init }) => sum + (init.body as string).length, 0)
    expect(bytes).toBeLessThan(65_536)
  })

  it.each([50, 1])(
    'nothing begins after it was left, until it is shown again (batches of %i)',
    async (maxBatchEvents) => {
      const { page, fire, show } = aPage()
      let begun = 0
      const { store } = aStore({
        exclusive(run) {
          begun++
          return run()
        },
      })
      const { track, calls } = setUp({ maxBatchEvents }, { page, store })
      await settled()
      const before = begun
      track()
      fire('pagehide')
      show(false)
      await settled()
      expect([begun - before, idsOf(calls)]).toEqual([0, [['e0']]])
      fire('pageshow')
      show(true)
      await settled()
      expect(idsOf(calls)).toEqual([['e0'], ['e0']])
    },
  )

  it('listeners are removed when the client is closed', async () => {
    const { page, listeners } = aPage()
    const { client } = setUp({}, { page })
    expect(listeners.size).toBeGreaterThan(3)
    await client.close()
    expect(listeners.size).toBe(0)
  })
})

describe('the storage', () => {
  it('whose locks are forbidden does not keep events from being sent', async () => {
    const { store } = aStore({ exclusive: () => Promise.reject(new Error('SecurityError')) })
    const { client, track } = setUp({}, { store })
    track()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(client.counts().accepted).toBe(1)
  })

  it('that is cleared while a removal fails does not hide the events after it', async () => {
    let fails = false
    const { store, entries } = aStore()
    const { client, track, server, pass } = setUp(
      {},
      {
        store: {
          ...store,
          async remove(keys) {
            if (fails) {
              fails = false
              entries.clear()
              throw new Error('closed')
            }
            await store.remove(keys)
          },
        },
      },
    )
    server.answer = taking()
    fails = true
    track()
    track()
    await pass(1_000)
    track()
    track()
    await pass(60_000)
    expect(client.counts().accepted).toBe(4)
    expect(entries.size).toBe(0)
  })

  it('that could not remove events is asked again, and they are not sent again', async () => {
    let fails = 1
    const { store, entries } = aStore()
    const remove: typeof store.remove = (keys) => (fails-- > 0 ? Promise.reject(new Error('busy')) : store.remove(keys))
    const { client, track, calls } = setUp({}, { store: { ...store, remove } })
    track()
    await client.flush()
    expect(entries.size).toBe(1)
    await client.flush()
    expect(entries.size).toBe(0)
    expect(calls).toHaveLength(1)
  })

  it('that another page took over is left to it', async () => {
    let isMine = false
    const { store } = aStore({ exclusive: (run) => run(async () => isMine) })
    const { client, track, server, rejected } = setUp({}, { store })
    server.answer = ({ body }) =>
      json(400, { receipts: body.engagements.map(({ eventId: id }) => ({ id, code: 'BAD', field: '', message: '' })) })
    track()
    expect(await client.flush()).toEqual({ left: 1 })
    expect(rejected).toEqual([])
    isMine = true
    expect(await client.flush()).toEqual({ left: 0 })
    expect(rejected).toHaveLength(1)
  })
})
