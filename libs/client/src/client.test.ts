import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFreshetClient, type DroppedEvent, type FreshetClientOptions } from './client.ts'
import type { ClientEnvironment } from './environment.ts'

interface Call {
  readonly url: string
  readonly body: {
    engagements: { eventId: string; userId: string; occurredAt: string }[]
    sentAt: string
    clockOffsetMs?: number
    after?: string[]
  }
  readonly init: RequestInit
}
type Answer = (call: Call) => Response | Error | Promise<Response>

const startMs = Date.UTC(2026, 0, 31, 12)
const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers })

/** Accepts every event; the token counts per user. */
function taking(): Answer {
  const counts = new Map<string, number>()
  return ({ body }) => {
    const receipts = body.engagements.map(({ eventId, userId }) => {
      const position = counts.get(userId) ?? 0
      counts.set(userId, position + 1)
      return { id: eventId, token: `e0-${position}` }
    })
    return json(202, { receipts })
  }
}
const unavailable =
  (retryAfter?: string): Answer =>
  () =>
    json(
      503,
      { error: { code: 'INGEST_UNAVAILABLE', message: 'no' } },
      retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    )

function setUp(options: Partial<FreshetClientOptions> = {}, page: ClientEnvironment['page'] = null) {
  let now = startMs
  let timers: { at: number; run: () => void }[] = []
  let ids = 0
  const calls: Call[] = []
  const dropped: DroppedEvent[] = []
  const errors: string[] = []
  const server: { answer: Answer } = { answer: taking() }
  const environment: ClientEnvironment = {
    fetch: async (url, init) => {
      const call = { url, init, body: JSON.parse(init.body as string) as Call['body'] }
      calls.push(call)
      const answer = await Promise.race([
        server.answer(call),
        new Promise<Response>((_, reject) =>
          init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
        ),
      ])
      if (answer instanceof Error) throw answer
      return answer
    },
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
    random: () => 1,
    newEventId: () => `id${ids++}`,
    page,
  }
  const pass = async (ms: number): Promise<void> => {
    const end = now + ms
    for (;;) {
      await settled()
      const next = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      now = next.at
      timers = timers.filter((each) => each !== next)
      next.run()
    }
    now = end
    await settled()
  }
  const client = createFreshetClient({
    ingestUrl: 'https://events.example/',
    feedUrl: 'https://feed.example',
    onDropped: (event) => dropped.push(event),
    onError: (error) => errors.push(error.message),
    environment,
    ...options,
  })
  const track = (userId = 'u1', more = {}) => client.track({ userId, action: 'click', pinId: 'p', ...more })
  return { client, track, calls, dropped, errors, server, pass, timers: () => timers.length, now: () => now }
}

const idsOf = (calls: readonly Call[]): string[][] =>
  calls.map(({ body }) => body.engagements.map(({ eventId }) => eventId))

describe('tracking', () => {
  it('sends events tracked within the interval as one batch, with the time of sending', async () => {
    const { track, calls, pass } = setUp()
    track()
    await pass(400)
    track()
    expect(calls).toEqual([])
    await pass(600)
    expect(idsOf(calls)).toEqual([['id0', 'id1']])
    expect(calls[0]).toMatchObject({
      url: 'https://events.example/v1/engagements',
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, keepalive: true },
      body: {
        engagements: [
          { eventId: 'id0', userId: 'u1', action: 'click', pinId: 'p', occurredAt: '2026-01-31T12:00:00.000Z' },
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
    expect(idsOf(calls)).toEqual([['id0', 'id1', 'id2'], ['id3', 'id4', 'id5'], ['id6']])
  })

  it('keeps given ids and times', async () => {
    const { client, track, calls } = setUp()
    expect(track('u1', { eventId: 'mine', occurredAtMs: startMs - 5000 })).toBe('mine')
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
    expect(new Set(idsOf(calls).flat())).toEqual(new Set(['id0']))
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
    const { client, track, calls, server, dropped, now } = setUp()
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
    expect(idsOf(calls)).toEqual([['id0'], ['id0']])
    expect(dropped).toEqual([])
    server.answer = refuse
    track()
    await client.flush()
    expect(dropped).toMatchObject([{ event: { eventId: 'id1' }, reason: 'rejected' }])
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
    expect(errors).toEqual(['no answer within 2000 ms'])
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
    expect(idsOf(calls).flat()).toEqual(Array.from({ length: 9 }, (_, i) => `id${i}`))
  })

  it('sends an event that was tracked at the moment a batch ended', async () => {
    const { track, calls, client, pass } = setUp({ maxBatchEvents: 1 })
    track()
    for (let i = 0; i < 30; i++) {
      await Promise.resolve()
      track()
    }
    await pass(5_000)
    expect(client.queued()).toBe(0)
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
          expect(client.queued()).toBe(0)
          expect(dropped).toEqual([])
          expect(accepted).toEqual(Array.from({ length: tracked }, (_, i) => `id${i}`))
          expect(calls.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('giving up', () => {
  it('reports events that the server rejects, each with its problem, and counts the others as accepted', async () => {
    const { client, track, server, dropped } = setUp()
    server.answer = () =>
      json(202, {
        receipts: [
          { id: 'id0', token: 'e0-4' },
          {
            id: 'id1',
            code: 'EVENT_ID_INVALID',
            field: 'engagements[1].pinId',
            message: 'engagements[1].pinId is empty',
          },
        ],
      })
    track()
    track()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(dropped).toMatchObject([
      { event: { eventId: 'id1' }, reason: 'rejected', problem: { code: 'EVENT_ID_INVALID' } },
    ])
    expect(client.tokenOf('u1')).toBe('e0-4')
  })

  it('reports a batch that is refused as a whole, and continues', async () => {
    const { client, track, server, dropped } = setUp()
    server.answer = () => json(415, { error: { code: 'CONTENT_TYPE', message: 'no' } })
    track()
    expect(await client.flush()).toEqual({ left: 0 })
    expect(dropped).toMatchObject([{ reason: 'rejected', problem: { code: 'CONTENT_TYPE', message: 'no' } }])
  })

  it.each([
    ['oldest', ['id0', 'id1']],
    ['newest', ['id3', 'id4']],
  ] as const)('drops the %s when the queue is full, and says so', async (dropPolicy, ids) => {
    const { client, track, dropped } = setUp({ maxQueuedEvents: 3, dropPolicy })
    for (let i = 0; i < 5; i++) track()
    expect(client.queued()).toBe(3)
    expect(dropped.map(({ event, reason }) => [event.eventId, reason])).toEqual(ids.map((id) => [id, 'queue full']))
  })

  it('never drops events in flight', async () => {
    const { client, track, server, dropped, pass } = setUp({ maxQueuedEvents: 2, maxBatchEvents: 2 })
    let answer: (response: Response) => void = () => undefined
    server.answer = () => new Promise((resolve) => (answer = resolve))
    track()
    track()
    await pass(0)
    track()
    expect(dropped.map(({ event }) => event.eventId)).toEqual(['id2'])
    server.answer = taking()
    answer(
      json(202, {
        receipts: [
          { id: 'id0', token: 'e0-0' },
          { id: 'id1', token: 'e0-1' },
        ],
      }),
    )
    await pass(0)
    expect(client.queued()).toBe(0)
    expect(client.tokenOf('u1')).toBe('e0-1')
  })

  it('sends once more when closed, then reports the remaining events and stops', async () => {
    const { client, track, server, dropped, timers } = setUp()
    server.answer = unavailable()
    track()
    await client.close()
    expect(dropped).toMatchObject([{ event: { eventId: 'id0' }, reason: 'closed' }])
    track()
    expect(dropped).toHaveLength(2)
    expect(timers()).toBe(0)
  })
})

describe('getFeed', () => {
  const feed = {
    feedId: 'f1',
    items: [{ pinId: 'p9', utility: 0.5 }],
    degradation: 'DEGRADATION_NONE',
    freshness: 'CURRENT',
  }

  it("sends queued events first and passes the user's last token", async () => {
    const { client, track, calls, server } = setUp()
    const take = taking()
    server.answer = (call) => (call.url.endsWith('/v1/feed') ? json(200, feed) : take(call))
    track('u1')
    track('u1')
    track('u2')
    const page = await client.getFeed({ userId: 'u1', pageSize: 10, after: ['e7-1'] })
    expect(calls.map(({ url }) => url)).toEqual([
      'https://events.example/v1/engagements',
      'https://feed.example/v1/feed',
    ])
    expect(calls[1]?.body).toEqual({ userId: 'u1', pageSize: 10, after: ['e7-1', 'e0-1'] })
    expect(page).toEqual({
      feedId: 'f1',
      items: [{ pinId: 'p9', position: 0, utility: 0.5, sources: [] }],
      nextPageToken: '',
      degradation: 'NONE',
      reasons: [],
      freshness: 'CURRENT',
    })
  })

  it('does not wait long for an unavailable ingest', async () => {
    const { client, track, server, pass } = setUp({ maxFlushWaitMs: 300 })
    server.answer = (call) => (call.url.endsWith('/v1/feed') ? json(200, feed) : new Promise(() => undefined))
    track()
    const page = client.getFeed({ userId: 'u1' })
    await pass(300)
    expect((await page).feedId).toBe('f1')
  })

  it('rejects with the code of the server, and when it is cancelled', async () => {
    const { client, server } = setUp()
    server.answer = () => json(400, { error: { code: 'CALL_INVALID_ARGUMENT', message: 'pageSize is 1000' } })
    await expect(client.getFeed({ userId: 'u1' })).rejects.toMatchObject({ status: 400, code: 'CALL_INVALID_ARGUMENT' })
    server.answer = () => new Promise(() => undefined)
    const ending = new AbortController()
    const page = client.getFeed({ userId: 'u1', signal: ending.signal })
    ending.abort(new Error('changed my mind'))
    await expect(page).rejects.toMatchObject({ status: 0, code: 'NO_ANSWER', message: 'changed my mind' })
  })

  it('remembers the tokens of a bounded number of users', async () => {
    const { client, track } = setUp({ maxUsers: 2 })
    for (const user of ['a', 'b', 'c']) track(user)
    await client.flush()
    expect(['a', 'b', 'c'].map((user) => client.tokenOf(user))).toEqual([null, 'e0-0', 'e0-0'])
  })
})

describe('in a page', () => {
  function aPage() {
    const listeners = new Map<string, () => void>()
    const beacons: { url: string; ids: string[] }[] = []
    return {
      listeners,
      beacons,
      on(event: 'hidden' | 'gone', listener: () => void) {
        listeners.set(event, listener)
        return () => listeners.delete(event)
      },
      beacon(url: string, body: string) {
        const { engagements } = JSON.parse(body) as Call['body']
        beacons.push({ url, ids: engagements.map(({ eventId }) => eventId) })
        return true
      },
    }
  }

  it('sends when the page is hidden', async () => {
    const page = aPage()
    const { track, calls } = setUp({}, page)
    track()
    page.listeners.get('hidden')?.()
    await settled()
    expect(idsOf(calls)).toEqual([['id0']])
  })

  it('hands events that are not in flight to the browser when the page closes', async () => {
    const page = aPage()
    const { client, track, calls, server, pass } = setUp({ maxBatchEvents: 2 }, page)
    server.answer = () => new Promise(() => undefined)
    track()
    track()
    await pass(0)
    track()
    page.listeners.get('gone')?.()
    expect(idsOf(calls)).toEqual([['id0', 'id1']])
    expect(page.beacons).toEqual([{ url: 'https://events.example/v1/engagements', ids: ['id2'] }])
    expect(client.queued()).toBe(2)
  })

  it('removes its listeners when closed', async () => {
    const page = aPage()
    const { client } = setUp({}, page)
    await client.close()
    expect(page.listeners.size).toBe(0)
  })
})
