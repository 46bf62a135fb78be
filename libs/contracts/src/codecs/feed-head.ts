import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire'
import type { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { decodeOrThrow } from './engagement.ts'

/** What says which pins a feed showed, to whom and when. */
export type FeedHead = Pick<FeedServed, 'feedId' | 'userId' | 'atMs' | 'pinIds'>

/** Keys of the fields in `FeedServed`. */
const [feedIdKey, userIdKey, atMsKey, pinIdKey] = [0x0a, 0x12, 0x18, 0x3a]

/**
 * Reads the head of a `FeedServed`, about a fifth of the work of reading it whole. It skips the other fields, so it finds faults only
 * in their lengths. Throws CODEC_INVALID.
 */
export function decodeFeedHead(bytes: Uint8Array): FeedHead {
  return decodeOrThrow('freshet.feed.v1.FeedServed', () => {
    const head = { feedId: '', userId: '', atMs: 0, pinIds: [] as string[] }
    const reader = new BinaryReader(bytes)
    while (reader.pos < reader.len) {
      const key = reader.uint32()
      if (key === feedIdKey) head.feedId = reader.string()
      else if (key === userIdKey) head.userId = reader.string()
      else if (key === atMsKey) head.atMs = Number(reader.int64())
      else if (key === pinIdKey) head.pinIds.push(reader.string())
      else reader.skip((key & 7) as WireType, key >>> 3)
    }
    return head
  })
}
