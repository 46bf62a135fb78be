import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { Action } from '@freshet/domain/engagement'
import { asId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { httpSettings } from '@freshet/service/settings'
import { createSourceTags } from '@freshet/service/source-tags'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callersOf, goodOrigin } from './keys/callers.fixture.ts'
import { aWhole, type Whole } from './whole.fixture.ts'

let whole: Whole | null = null
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  await whole?.stop()
  whole = null
})

const pins = 200
const readers = 300
const listed = 20

interface Flood {
  readonly whole: Whole
  readonly log: EventLog
  append(records: readonly NewRecord[]): Promise<void>
  anAct(userId: string, pinId: string, action: Action, ageMs: number): NewRecord
  /** What a source finds once all acts so far were folded. */
  found(source: string): Promise<readonly string[]>
}

/** All services with `pinCount` pins, and three clicks of each of 300 readers on the first forty pins: a pin has fifteen readers. */
async function aFlood(pinCount: number): Promise<Flood> {
  let log: EventLog | null = null
  const made = await aWhole({}, (seen) => (log = seen))
  whole = made
  await made.pins(Array.from({ length: pinCount }, (_, n) => [`pin-${n}`, {}] as const))
  let events = 0
  const anAct = (userId: string, pinId: string, action: Action, ageMs: number): NewRecord => {
    const engagement = {
      eventId: asId<EventId>(`x${events++}`),
      userId: asId<UserId>(userId),
      sessionId: null,
      action,
      subject: { kind: 'pin', pinId: asId<PinId>(pinId) } as const,
      boardId: null,
      occurredAtMs: made.now() - ageMs,
      shown: { feedId: null, position: null, surface: null },
      dwellMs: null,
    }
    return { key: userId, value: encodeEngagement(engagement, made.now()), partition: null }
  }
  const append = async (records: readonly NewRecord[]): Promise<void> => {
    await log!.append('engagements.v1', [...records])
  }
  await made.advance(86_400_000)
  const honest = Array.from({ length: readers * 3 }, (_, n) =>
    anAct(`reader-${n % readers}`, `pin-${(n * 7) % 40}`, 'click', (n % 600) * 1_000),
  )
  await append(honest)
  return {
    whole: made,
    log: log!,
    append,
    anAct,
    async found(source) {
      await made.act({ userId: 'last', action: 'click', on: 'pin-0' })
      const request = RetrieveRequest.fromPartial({
        surface: Surface.HOME,
        atMs: made.now(),
        limit: listed,
        sources: [source],
      })
      return (await made.embedded.candidates.retrieve(request, { timeoutMs: 60_000 })).pinIds
    },
  }
}

describe('one source', () => {
  it('with 100,000 events of one user does not bring a pin into the 20 most popular or trending ones', async () => {
    const { append, anAct, found } = await aFlood(pins)
    const target = `pin-${pins - 1}`
    const kinds: readonly Action[] = ['impression', 'closeup', 'click', 'save', 'unsave']
    for (let batch = 0; batch < 100; batch++) {
      const script = Array.from({ length: 1_000 }, (_, n) =>
        anAct('script', target, kinds[n % kinds.length] ?? 'click', ((batch * 1_000 + n) % 80_000) * 1_000),
      )
      await append(script)
    }
    expect(await found('popularity')).toHaveLength(listed)
    expect(await found('popularity')).not.toContain(target)
    expect(await found('trending')).not.toContain(target)
  }, 120_000)

  it('with 100,000 clicks of one user who goes round on more pins than a trail keeps does not either', async () => {
    const round = 501
    const first = 40
    const { append, anAct, found } = await aFlood(first + round)
    for (let batch = 0; batch < 100; batch++) {
      const script = Array.from({ length: 1_000 }, (_, n) => {
        const place = batch * 1_000 + n
        return anAct('script', `pin-${first + (place % round)}`, 'click', (100_000 - place) * 500)
      })
      await append(script)
    }
    const ofScript = (pinId: string): boolean => Number(pinId.slice('pin-'.length)) >= first
    expect(await found('popularity')).toHaveLength(listed)
    expect((await found('popularity')).filter(ofScript)).toEqual([])
    expect((await found('trending')).filter(ofScript)).toEqual([])
  }, 120_000)
})

/** How a page posts clicks on a pin: with the public write key, from its own address. */
async function aPage({ whole: made, log }: Flood) {
  const callers = await callersOf()
  const clock = { now: () => made.now(), sleep: createSystemClock().sleep }
  const config = z.object(ingestSettings).parse({})
  const secret = new Uint8Array(32)
  const sourceTags = createSourceTags({ secret: () => secret, trustedProxies: [], clock })
  const parts = { clock, config, metrics: createMetrics(), report: silentReport }
  const ingest = createIngest({ ...parts, log, sourceTags })
  const limits = z.object(httpSettings(0)).parse({})
  const app = createHttpApp({ ...parts, ingest, access: callers.access, limits, origins: [] })
  closing.push(
    () => callers.access.close(),
    () => app.close(),
  )
  const credentials = callers.good.write({ method: 'POST', path: '/v1/engagements', body: new Uint8Array(0) })
  const headers = { ...credentials, origin: goodOrigin, 'content-type': 'application/json' }
  let events = 0
  return async (address: string, userIds: readonly string[], pinId: string): Promise<void> => {
    const occurredAt = new Date(made.now()).toISOString()
    const engagements = userIds.map((userId) => ({
      eventId: `p${events++}`,
      userId,
      pinId,
      action: 'click',
      occurredAt,
    }))
    const payload = { engagements }
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/engagements',
      payload,
      headers,
      remoteAddress: address,
    })
    expect(answer.statusCode).toBe(202)
  }
}

describe('invented users', () => {
  const target = `pin-${pins - 1}`
  const batch = 1_000
  const oneAddress = (): string => '192.0.2.1'

  it.each([
    ['1,000 of one address, with 100,000 events', 1_000, 100, oneAddress],
    ['10,000 of one address, with 100,000 events', 10_000, 100, oneAddress],
    ['10,000 of three addresses', 10_000, 10, (n: number) => `192.0.2.${n % 3}`],
    ['10,000 of ten networks of a /48', 10_000, 10, (n: number) => `2001:db8:1:${n}::1`],
  ])(
    'do not bring a pin into the 20 most popular or trending ones: %s',
    async (_name, users, batches, addressOf) => {
      const flood = await aFlood(pins)
      const post = await aPage(flood)
      for (let n = 0; n < batches; n++) {
        const invented = Array.from({ length: batch }, (_, at) => `made-up-${(n * batch + at) % users}`)
        await post(addressOf(n), invented, target)
      }
      expect(await flood.found('popularity')).toHaveLength(listed)
      expect(await flood.found('popularity')).not.toContain(target)
      expect(await flood.found('trending')).not.toContain(target)
    },
    240_000,
  )

  it('are unlike 200 users with addresses of their own, who do', async () => {
    const flood = await aFlood(pins)
    const post = await aPage(flood)
    for (let n = 0; n < 200; n++) await post(`192.0.2.${n}`, [`real-${n}`], target)
    expect((await flood.found('popularity'))[0]).toBe(target)
    expect((await flood.found('trending'))[0]).toBe(target)
  }, 240_000)
})
