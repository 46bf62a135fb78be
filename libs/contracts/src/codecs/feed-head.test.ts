import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { decodeFeedHead } from './feed-head.ts'

const text = fc.string({ unit: 'binary' })
const anyFeed = fc
  .record({
    feedId: text,
    userId: text,
    atMs: fc.maxSafeInteger(),
    pinIds: fc.array(text),
    sources: fc.array(text),
    utilities: fc.uint8Array(),
    stages: fc.array(fc.record({ stage: text, removed: fc.dictionary(text, fc.nat()) })),
    unshown: fc.record({ pinIds: fc.array(text) }),
  })
  .map((feed) => FeedServed.fromPartial(feed))

test('a law: the head has what the whole message has', () => {
  fc.assert(
    fc.property(anyFeed, (feed) => {
      const { feedId, userId, atMs, pinIds } = feed
      expect(decodeFeedHead(FeedServed.encode(feed).finish())).toEqual({ feedId, userId, atMs, pinIds })
    }),
  )
})

test('bytes that end early are not a feed', () => {
  const bytes = FeedServed.encode(FeedServed.fromPartial({ feedId: 'a', unshown: { pinIds: ['b'] } })).finish()
  expect(() => decodeFeedHead(bytes.subarray(0, bytes.length - 1))).toThrow('not a freshet.feed.v1.FeedServed')
})
