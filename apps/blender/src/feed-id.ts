import { formatFeedId } from '@freshet/contracts/feed-id'
import type { Random } from '@freshet/domain/clock'
import { partitionOf } from '@freshet/domain/partition'

/** Makes feed ids with the time, the partition of the record and 52 random bits, so that `ExplainFeed` finds the record. */
export function feedIdMaker(random: Random, partitions: number): (userId: string, nowMs: number) => string {
  return (userId, nowMs) => {
    const partition = userId === '' ? null : partitionOf(userId, partitions)
    const randomText = Math.floor(random.next() * 2 ** 52)
      .toString(36)
      .padStart(11, '0')
    return formatFeedId({ receivedAtMs: nowMs, partition }, randomText)
  }
}
