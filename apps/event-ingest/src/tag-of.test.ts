import type { Access } from '@freshet/access/access'
import type { Caller } from '@freshet/access/caller'
import { openAccess } from '@freshet/access/access'
import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { createSourceTags } from '@freshet/service/source-tags'
import { describe, expect, it } from 'vitest'
import { anEngagement, ingestsOfTests, nowMs } from './testing.ts'

const start = ingestsOfTests()

const secret = new Uint8Array(32)
const sourceTags = createSourceTags({
  secret: () => Promise.resolve(secret),
  trustedProxies: [],
  clock: { now: () => nowMs },
})

/** Every request is of this caller. */
const accessOf = (caller: Caller): Access => ({
  ...openAccess,
  open: caller.kind === 'open',
  identify: () => ({ caller, signature: null, origins: null }),
})
const writer: Caller = { kind: 'write', keyId: 'fw_a', userId: 'ada' }

/** The tags of the engagements of two users, posted in these ways by a caller at this address. */
async function tagsBy(caller: Caller, remoteAddress = '192.0.2.1') {
  const { app, records } = await start({ access: accessOf(caller), sourceTags })
  const occurredAt = new Date(nowMs - 1_000).toISOString()
  const users = ['ada', 'bob']
  const bodies: Readonly<Record<string, object>> = {
    '/v1/engagements': { engagements: users.map((userId) => anEngagement({ eventId: `json-${userId}`, userId })) },
    '/freshet.ingest.v1.EventIngest/PostEngagements': {
      engagements: users.map((userId) => ({
        ...{ eventId: `connect-${userId}`, userId, pinId: 'p', action: 'ACTION_CLICK', occurredAtMs: nowMs - 1_000 },
        // Callers cannot choose their tag.
        sourceTag: 4711,
      })),
    },
    '/v1/segment/v1/batch': {
      batch: users.map((userId) => ({
        ...{ messageId: `segment-${userId}`, type: 'track', event: 'Pin Saved', userId, timestamp: occurredAt },
        properties: { pinId: 'p' },
      })),
    },
  }
  for (const [url, payload] of Object.entries(bodies)) {
    const headers = { 'content-type': 'application/json' }
    const { statusCode } = await app.inject({ method: 'POST', url, payload, headers, remoteAddress })
    expect([url, statusCode < 300]).toEqual([url, true])
  }
  const found = (await records('engagements.v1')).map(({ value }) => decodeEngagement(value!))
  expect(found).toHaveLength(6)
  const of = (user: string) => found.filter(({ userId }) => userId === user).map(({ sourceTag }) => sourceTag)
  return { ada: of('ada'), bob: of('bob') }
}

describe('an engagement', () => {
  it('has the tag of its address, but not if the read token names its user', async () => {
    const { ada, bob } = await tagsBy(writer)
    expect(ada).toEqual([undefined, undefined, undefined])
    expect(bob[0]).toBeGreaterThan(0)
    expect(new Set(bob).size).toBe(1)
    expect((await tagsBy({ ...writer, userId: null })).ada).toEqual(bob)
    expect((await tagsBy(writer, '192.0.2.2')).bob[0]).not.toBe(bob[0])
  })

  it.each([
    ['of a server', { ...writer, kind: 'server' as const }],
    ['of a process without keys', { ...writer, kind: 'open' as const, userId: null }],
  ])('%s has none', async (_name, caller) => {
    const none = [undefined, undefined, undefined]
    expect(await tagsBy(caller)).toEqual({ ada: none, bob: none })
  })
})
