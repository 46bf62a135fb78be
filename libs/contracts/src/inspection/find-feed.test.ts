import { describe, expect, it } from 'vitest'
import { formatFeedId } from '../feed-id.ts'
import { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import type { LogRecord } from '../ports/event-log.ts'
import { findFeed, type FindFeed } from './find-feed.ts'

const nowMs = Date.UTC(2026, 0, 1)
const feedId = formatFeedId({ receivedAtMs: nowMs, partition: 0 }, '00000000000')

/** A log with one feed, whose readers never stop. */
function aLog(value: Uint8Array, appendedAtMs = nowMs): FindFeed['log'] {
  const record = { position: 0, key: null, value, headers: {}, appendedAtMs } as unknown as LogRecord
  return {
    starts: async () => [0],
    ends: async () => [1],
    positionsAt: async () => [0],
    async readAll({ onBatch }) {
      void onBatch(
        { topic: 'feeds-served.v1', partition: 0, next: 1, records: [record] } as never,
        new AbortController().signal,
      )
      return { stop: () => new Promise<void>(() => undefined) } as never
    },
  }
}

describe('looking for a feed', () => {
  // A reader of Kafka stops only after its longest wait, which is most of the time that a caller has.
  it('does not wait until the reader has stopped', async () => {
    const value = FeedServed.encode(FeedServed.fromPartial({ feedId, atMs: nowMs })).finish()
    expect(await findFeed(feedId, { log: aLog(value), nowMs })).toBe(value)
  })

  it('does not wait either where the log is past the time of the feed', async () => {
    const other = FeedServed.encode(FeedServed.fromPartial({ feedId: 'other', atMs: nowMs })).finish()
    const looking = findFeed(feedId, { log: aLog(other, nowMs + 3_600_000), nowMs: nowMs + 7_200_000 })
    await expect(looking).rejects.toMatchObject({ code: 'FEED_MISSING' })
  })
})
