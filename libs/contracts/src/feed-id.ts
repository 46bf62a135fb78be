import { partitionOf } from '@freshet/domain/partition'

/** Where the record of a feed is in `feeds-served.v1`. */
export interface FeedPlace {
  /** When the blender received the request by its own clock, milliseconds since the epoch. */
  readonly receivedAtMs: number
  /** The partition of the record's key: the user, or the feed itself if the user is not known. null: the key is the feed. */
  readonly partition: number | null
}

const timeDigits = 9
const partitionDigits = 3
const ownKey = 'zzz'

/** A feed id that says where its record is. `randomText`: digits and lower-case letters that distinguish feeds of one millisecond. */
export function formatFeedId({ receivedAtMs, partition }: FeedPlace, randomText: string): string {
  const time = Math.floor(receivedAtMs).toString(36).padStart(timeDigits, '0')
  return `f${time}${partition === null ? ownKey : partition.toString(36).padStart(partitionDigits, '0')}${randomText}`
}

/** Where the record of a feed is; null: this is not a feed id, or one of an earlier version. */
export function parseFeedId(feedId: string): FeedPlace | null {
  const match = /^f([0-9a-z]{9})([0-9a-z]{3})[0-9a-z]{8,20}$/.exec(feedId)
  if (match === null) return null
  const [, time = '', partition = ''] = match
  return {
    receivedAtMs: Number.parseInt(time, 36),
    partition: partition === ownKey ? null : Number.parseInt(partition, 36),
  }
}

/** The partition of the record of a feed, of `partitions` in its topic. */
export function partitionOfFeed(feedId: string, { partition }: FeedPlace, partitions: number): number {
  return partition ?? partitionOf(feedId, partitions)
}
