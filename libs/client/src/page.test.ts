import { describe, expect, it } from 'vitest'
import { aPage, aStore, feedOr, json, setUp, settled, startMs, taking } from './fake.fixture.ts'
import type { ClientEnvironment } from './environment.ts'
import { createLooks } from './looks.ts'

const item = { pinId: 'p1', feedId: 'f1', position: 0, surface: 'home' } as const
const other = { pinId: 'p2', feedId: 'f1', position: 1, surface: 'home' } as const

function aPageWithPins(options = {}) {
  const page = aPage()
  const set = setUp(options, { page: page.page })
  const elements = [{}, {}] as const
  const stops = [set.client.observe(elements[0], item), set.client.observe(elements[1], other)]
  const impressions = () =>
    set.calls.flatMap(({ body }) =>
      (body.engagements ?? [])
        .filter(({ action }) => action === 'impression')
        .map(({ pinId, feedId, position, surface, dwellMs }) => ({ pinId, feedId, position, surface, dwellMs })),
    )
  return { ...page, ...set, elements, stops, impressions }
}

describe('an observed pin', () => {
  it('is an impression after half of it was visible for a second, with the time until it left', async () => {
    const { see, elements, pass, impressions } = aPageWithPins()
    see(elements[0], 0.5)
    see(elements[1], 0.49)
    await pass(2_500)
    see(elements[0], 0.2)
    await pass(1_000)
    expect(impressions()).toEqual([{ ...item, dwellMs: 2_500 }])
  })

  it('is an impression once per feed and position, however often it returns', async () => {
    const { see, elements, pass, impressions, client } = aPageWithPins()
    for (let i = 0; i < 3; i++) {
      see(elements[0], 1)
      await pass(1_500)
      see(elements[0], 0)
      await pass(1_500)
    }
    client.observe({}, item)
    expect(impressions()).toHaveLength(1)
  })

  it('is sent while it stays on the screen, after the longest look', async () => {
    const { see, elements, pass, impressions } = aPageWithPins({ maxLookMs: 3_000 })
    see(elements[0], 1)
    await pass(3_999)
    expect(impressions()).toEqual([])
    await pass(1_001)
    expect(impressions()).toEqual([{ ...item, dwellMs: 4_000 }])
  })

  it('is not an impression when the second was broken, and is reported when it was scrolled past', async () => {
    const past: unknown[] = []
    const { see, elements, pass, impressions } = aPageWithPins({ onScrolledPast: (pin: unknown) => past.push(pin) })
    see(elements[0], 1)
    await pass(900)
    see(elements[0], 0.3)
    see(elements[0], 1)
    await pass(400)
    see(elements[0], 0, true)
    see(elements[1], 1)
    await pass(900)
    see(elements[1], 0)
    await pass(5_000)
    expect(impressions()).toEqual([])
    expect(past).toEqual([{ pin: item, visibleMs: 400 }])
  })

  it('is not visible while the page is hidden', async () => {
    const { see, show, elements, pass, impressions } = aPageWithPins()
    show(false)
    see(elements[0], 1)
    await pass(5_000)
    expect(impressions()).toEqual([])
    show(true)
    await pass(1_200)
    show(false)
    await pass(1_000)
    expect(impressions()).toEqual([{ ...item, dwellMs: 1_200 }])
  })

  it.each([60, -1])('looks for a second to the longest look, when its clock is moved by %d hours', (hours) => {
    const page = aPage()
    const timers: (() => void)[] = []
    const seen: number[] = []
    let now = startMs
    const after = (_: number, run: () => void) => {
      timers.push(run)
      return () => undefined
    }
    const environment = { now: () => now, page: page.page, after } as Partial<ClientEnvironment> as ClientEnvironment
    const onSeen = (_: object, ms: number) => void seen.push(ms)
    const looks = createLooks({ environment, maxLookMs: 5_000, onSeen, onScrolledPast: () => undefined })
    const element = {}
    looks.look(element, item, 'k')
    page.see(element, 1)
    now += 1_000
    timers.shift()!()
    now += hours * 3_600_000
    timers.shift()!()
    expect(seen).toEqual([hours > 0 ? 6_000 : 1_000])
  })

  it('is reported when its element goes, when the page closes, and before the next feed', async () => {
    const { see, fire, elements, stops, pass, impressions, client, server } = aPageWithPins()
    server.answer = feedOr({ feedId: 'f2' }, taking())
    see(elements[0], 1)
    see(elements[1], 1)
    await pass(1_100)
    stops[0]!()
    await client.flush()
    expect(impressions().map(({ pinId }) => pinId)).toEqual(['p1', 'p2'])
    const third = {}
    client.observe(third, { ...item, position: 7 })
    see(third, 1)
    await pass(1_100)
    await client.feed()
    expect(impressions()).toHaveLength(3)
    const fourth = {}
    client.observe(fourth, { ...item, position: 8 })
    see(fourth, 1)
    await pass(1_100)
    fire('pagehide')
    expect(impressions()).toHaveLength(4)
  })
})

describe('the user', () => {
  it('is anonymous at first, the same in every page of the browser', () => {
    const kept = new Map<string, string>()
    const first = setUp({}, { page: aPage().page, kept })
    const second = setUp({}, { page: aPage().page, kept })
    expect(first.client.userId()).toBe(second.client.userId())
    expect(setUp({ name: 'another' }, { page: aPage().page, kept }).kept.size).toBe(1)
  })

  it('is merged into the known one when it becomes known, in its turn, with key and token', async () => {
    const { client, calls, server } = setUp({ writeKey: 'fw_1', readToken: 't1' }, { page: aPage().page })
    server.answer = feedOr({ feedId: 'f' }, taking())
    const anonymous = client.userId()
    void client.click('p1')
    void client.identify('ann')
    void client.click('p2')
    await client.flush()
    expect(calls.map(({ url, body }) => [url, (body.engagements ?? []).map(({ userId }) => userId)])).toEqual([
      ['https://events.example/v1/engagements', [anonymous]],
      [`https://events.example/v1/users/${anonymous}/merge`, []],
      ['https://events.example/v1/engagements', ['ann']],
    ])
    expect(calls[1]!.body).toEqual({ intoUserId: 'ann', occurredAt: '2026-01-31T12:00:00.000Z' })
    expect(calls[1]!.init.headers).toMatchObject({ 'freshet-key': 'fw_1', authorization: 'Bearer t1' })
    await client.feed()
    expect(calls.at(-1).body).toMatchObject({ userId: 'ann', after: ['e0-0'] })
    void client.identify('ann')
    await client.flush()
    expect(calls.filter(({ url }) => url.endsWith('/merge'))).toHaveLength(1)
    client.reset()
    expect(client.userId()).not.toBe('ann')
    expect(client.userId()).not.toBe(anonymous)
  })

  it('is merged by the next page when the page dies before the merge is stored', async () => {
    const kept = new Map<string, string>()
    const { store, entries } = aStore()
    const dying = setUp({}, { kept, store: { ...store, put: () => new Promise(() => undefined) } })
    const anonymous = dying.client.userId()
    void dying.client.identify('ann')
    const { client, calls } = setUp({}, { kept, store })
    await client.identify('ann')
    await client.flush()
    expect(calls.map(({ url }) => url)).toEqual([`https://events.example/v1/users/${anonymous}/merge`])
    expect(entries.size).toBe(0)
    expect(JSON.parse([...kept.values()][0]!)).toEqual({ user: 'ann', token: 'e9-9' })
  })

  it('is merged at the time of the server, when that is known', async () => {
    const { client, calls, server, now } = setUp()
    const aheadMs = 3 * 86_400_000
    const take = taking()
    server.answer = async (call) => {
      const { receipts } = (await (take(call) as Response).json()) as { receipts: object[] }
      return json(202, { receipts, receivedAt: new Date(now() - aheadMs).toISOString() })
    }
    void client.click('p1')
    await client.flush()
    void client.identify('ann')
    await client.flush()
    expect(calls.at(-1).body['occurredAt']).toBe(new Date(startMs - aheadMs).toISOString())
  })

  it('has a session that ends after half an hour without events', async () => {
    const { client, calls, pass } = setUp({}, { page: aPage().page })
    for (const minutes of [0, 20, 20, 31]) {
      await pass(minutes * 60_000)
      void client.click('p')
      await client.flush()
    }
    const sessions = calls.map(({ body }) => body.engagements[0]!['sessionId'])
    expect(sessions[1]).toBe(sessions[0])
    expect(sessions[2]).toBe(sessions[0])
    expect(sessions[3]).not.toBe(sessions[0])
  })

  it('of another tab is the user of this one at once', async () => {
    const kept = new Map<string, string>()
    const first = setUp({}, { page: aPage().page, kept })
    const second = setUp({}, { page: aPage().page, kept })
    void first.client.identify('ann')
    expect(second.client.userId()).toBe('ann')
  })
})

describe('consent', () => {
  it('that is required and not given lets nothing leave and nothing be stored', async () => {
    const { page, fire } = aPage()
    const { client, calls, dropped, kept, pass } = setUp({ consent: 'required' }, { page })
    await client.save('p1')
    fire('pagehide')
    await pass(60_000)
    expect(calls).toEqual([])
    expect([...kept.values()]).toEqual([])
    expect(dropped).toMatchObject([{ reason: 'no consent', event: { pinId: 'p1' } }])
    const before = client.userId()
    client.optIn()
    expect(client.userId()).toBe(before)
    await client.save('p2')
    await pass(1_000)
    expect(calls).toHaveLength(1)
  })

  it('that is withdrawn drops what waits and forgets the user', async () => {
    const { client, calls, dropped, kept, server, pass } = setUp({}, { page: aPage().page })
    server.answer = () => json(503, {})
    const before = client.userId()
    void client.save('p1')
    await client.flush()
    await client.optOut()
    await settled()
    expect(dropped).toMatchObject([{ reason: 'no consent', event: { pinId: 'p1' } }])
    const sent = calls.length
    await client.save('p2')
    await pass(120_000)
    expect(calls).toHaveLength(sent)
    expect([...kept.values()]).toEqual(['{"consent":false}'])
    expect(client.userId()).not.toBe(before)
  })
})

describe('a choice about consent', () => {
  it.each(['required', 'assumed'] as const)('stays as it is when the user logs out (%s)', async (consent) => {
    const { client, calls, dropped } = setUp({ consent }, { page: aPage().page })
    await client.optOut()
    client.reset()
    await client.save('p1')
    await client.flush()
    expect(calls).toEqual([])
    expect(dropped).toMatchObject([{ reason: 'no consent' }])
    client.optIn()
    client.reset()
    await client.save('p2')
    await client.flush()
    expect(calls).toHaveLength(1)
  })
})

describe('opting out while a request is under way', () => {
  it('lets its answer count, drops the rest, and sends nothing more', async () => {
    const { client, track, calls, server, dropped, rejected } = setUp({ maxBatchEvents: 2 })
    let answer!: (response: Response) => void
    server.answer = () => new Promise((resolve) => (answer = resolve))
    for (let i = 0; i < 6; i++) track()
    await settled()
    const out = client.optOut()
    await settled()
    answer(
      json(202, {
        receipts: [
          { id: 'e0', token: 't' },
          { id: 'e1', code: 'BAD', field: '', message: '' },
        ],
      }),
    )
    await out
    await settled()
    expect(calls).toHaveLength(1)
    expect(rejected.map(({ event }) => event.eventId)).toEqual(['e1'])
    expect(dropped.map(({ event }) => event.eventId)).toEqual(['e2', 'e3', 'e4', 'e5'])
    expect(client.counts()).toEqual({ tracked: 6, accepted: 1, rejected: 1, dropped: { 'no consent': 4 } })
  })
})

describe('a token', () => {
  it('that is refused is asked for again, and the events are sent with the new one', async () => {
    let number = 0
    const { client, calls, server, rejected } = setUp({ readToken: () => Promise.resolve(`t${++number}`) })
    const take = taking()
    server.answer = (call) => (call.init.headers['authorization'] === 'Bearer t2' ? take(call) : json(401, {}))
    void client.save('p1', { userId: 'u' })
    expect(await client.flush()).toEqual({ left: 0 })
    expect(calls.map(({ init }) => init.headers['authorization'])).toEqual(['Bearer t1', 'Bearer t2'])
    expect(rejected).toEqual([])
    server.answer = (call) =>
      call.init.headers['authorization'] === 'Bearer t3' ? json(200, { feedId: 'f' }) : json(401, {})
    expect((await client.feed({ userId: 'u' })).feedId).toBe('f')
  })

  it('goes with feeds and merges only where a write key is enough for events', async () => {
    const { client, calls, server } = setUp({ writeKey: 'fw_1', readToken: () => 't1' })
    server.answer = feedOr({ feedId: 'f' }, taking())
    await client.save('p1', { userId: 'u' })
    await client.feed({ userId: 'u' })
    expect(calls.map(({ init }) => [init.headers['freshet-key'], init.headers['authorization']])).toEqual([
      ['fw_1', undefined],
      ['fw_1', 'Bearer t1'],
    ])
  })

  it('that was asked for before the user became known is not used after it', async () => {
    const gives: ((token: string) => void)[] = []
    const { client, calls, server } = setUp({
      writeKey: 'fw_1',
      readToken: () => new Promise<string>((give) => gives.push(give)),
    })
    const tokens = () => calls.map(({ init }) => init.headers['authorization']).filter(Boolean)
    server.answer = feedOr({ feedId: 'f' }, taking())
    const before = client.feed()
    await settled()
    void client.identify('ann')
    gives[0]!('anonymous')
    await before
    const after = client.feed()
    await settled()
    for (const give of gives.slice(1)) give('ann')
    await after
    expect(new Set(tokens())).toEqual(new Set(['Bearer anonymous', 'Bearer ann']))
    expect(tokens().slice(1)).not.toContain('Bearer anonymous')
  })

  it('that is refused by 403 is asked for again, once for a feed', async () => {
    let number = 0
    const { client, server } = setUp({ writeKey: 'fw_1', readToken: () => `t${++number}` })
    server.answer = ({ init }) =>
      init.headers['authorization'] === 'Bearer t2'
        ? json(200, { feedId: 'f' })
        : json(403, { error: { code: 'CALL_FORBIDDEN', message: 'no' } })
    expect((await client.feed()).feedId).toBe('f')
    number = 5
    client.reset()
    await expect(client.feed()).rejects.toMatchObject({ status: 403 })
    expect(number).toBe(7)
  })

  it('that does not come fails the request in time, and holds up nothing but merges', async () => {
    const { client, pass, errors } = setUp({ writeKey: 'fw_1', readToken: () => new Promise<string>(() => undefined) })
    void client.click('p0')
    void client.identify('ann')
    void client.click('p1')
    await pass(15_000)
    expect(errors[0]).toBe('timeout')
    expect(client.counts().accepted).toBe(2)
  })

  it('that the app cannot give after log-out holds up only the merge, which is made later', async () => {
    let isKnown = true
    const { client, calls, server, pass } = setUp({
      writeKey: 'fw_1',
      readToken: async () => {
        if (!isKnown) throw new Error('no session')
        return 't'
      },
    })
    server.answer = () => new TypeError('offline')
    void client.click('p0')
    void client.identify('ann')
    await pass(1_000)
    isKnown = false
    client.reset()
    server.answer = taking()
    void client.click('p2')
    await pass(60_000)
    expect(client.counts().accepted).toBe(2)
    isKnown = true
    await pass(60_000)
    expect(client.counts().accepted).toBe(3)
    expect(calls.at(-1).url).toContain('/merge')
  })

  it('that the app cannot give is an attempt that failed', async () => {
    const { client, calls, errors } = setUp({ readToken: () => Promise.reject(new Error('no session')) })
    void client.save('p1', { userId: 'u' })
    expect(await client.flush()).toEqual({ left: 1 })
    expect(calls).toEqual([])
    expect(errors).toEqual(['no session'])
  })
})
