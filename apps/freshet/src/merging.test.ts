import { encodeMergeRequest } from '@freshet/contracts/codecs/user-merge'
import { Freshness, type GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { formatToken } from '@freshet/contracts/tokens'
import { afterEach, describe, expect, it } from 'vitest'
import { aCreator, aWhole, type Whole } from './whole.fixture.ts'

let whole: Whole | null = null
let log: EventLog | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

const pinIds = Array.from({ length: 30 }, (_, n) => `pin-${n}`)

async function aCatalogue(): Promise<Whole> {
  whole = await aWhole({}, (seen) => (log = seen))
  await whole.pins(pinIds.map((pinId) => [pinId, { creatorId: aCreator(`creator-${pinId}`) }] as const))
  return whole
}

/** Appends a merge as ingest does, without waiting for anyone to fold it. Returns its token. */
async function merge(fromUserId: string, intoUserId: string): Promise<string> {
  const atMs = whole!.now()
  const value = encodeMergeRequest({ fromUserId, intoUserId, occurredAtMs: atMs, receivedAtMs: atMs })
  const [position] = await log!.append('engagements.v1', [{ key: fromUserId, value, partition: null }])
  return formatToken({ topic: 'engagements.v1', ...position!, log: '', isMerge: true })
}

const shown = ({ items }: GetFeedResponse): readonly string[] => items.map(({ pinId }) => pinId).toSorted()

describe('an anonymous user who becomes known', () => {
  it('gets a feed with the token that reflects what both ids did, in one partition or in two', async () => {
    for (const anonymous of ['anon-0', 'anon-1', 'anon-2', 'anon-3']) {
      const made = await aCatalogue()
      await made.act({ userId: anonymous, action: 'hide', on: 'pin-1' }, { userId: 'ada', action: 'hide', on: 'pin-2' })
      const token = await merge(anonymous, 'ada')
      const feed = await made.feed({ pageSize: 30, after: [token] })
      expect(feed.freshness).toBe(Freshness.CURRENT)
      expect(shown(feed)).toEqual(pinIds.filter((pinId) => pinId !== 'pin-1' && pinId !== 'pin-2').toSorted())
      await made.stop()
    }
    whole = null
  })

  it('does not see again under the old id what was hidden', async () => {
    const made = await aCatalogue()
    await made.act({ userId: 'anon', action: 'hide', on: 'pin-1' })
    await made.feed({ after: [await merge('anon', 'ada')] })
    const feed = await made.feed({ userId: 'anon', pageSize: 30 })
    expect(shown(feed)).toEqual(pinIds.filter((pinId) => pinId !== 'pin-1').toSorted())
  })

  it('gets BEHIND and the reason for a merge that was refused', async () => {
    const made = await aCatalogue()
    await made.act({ userId: 'anon', action: 'hide', on: 'pin-1' })
    await made.feed({ after: [await merge('anon', 'ada')] })
    const feed = await made.feed({ userId: 'eve', after: [await merge('anon', 'eve')] })
    expect(feed).toMatchObject({ freshness: Freshness.BEHIND, reasons: ['TOKEN_DEAD_LETTERED'] })
  })
})
