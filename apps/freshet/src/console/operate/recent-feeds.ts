import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'

/** A reader of Kafka takes a quarter of a second to begin and end, and a console reads few feeds of each partition. */
export const partitionsAtOnce = 16

/** What to read of the served feeds. */
export interface RecentFeedsOptions {
  readonly log: Pick<EventLog, 'starts' | 'ends' | 'readAll'>
  /** At most about so many, over all partitions. */
  readonly maxFeeds: number
  readonly onError: (error: Error) => void
  readonly signal: AbortSignal
}

/** Where to begin in each partition of a topic, so that about `maxRecords` of the newest records are read in all. */
export async function newestPositions(
  log: Pick<EventLog, 'starts' | 'ends'>,
  topic: string,
  maxRecords: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const [starts, ends] = await Promise.all([log.starts(topic, { signal }), log.ends(topic, { signal })])
  const held = ends.map((end, partition) => Math.max(0, end - (starts[partition] ?? 0)))
  const share = fairShare(held, maxRecords)
  return ends.map((end, partition) => Math.max(starts[partition] ?? 0, end - share))
}

/** The largest number for which the sum of the sizes, each cut at it, is at most `most`. */
function fairShare(sizes: readonly number[], most: number): number {
  let left = most
  const ascending = sizes.toSorted((a, b) => a - b)
  for (const [at, size] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - at))
    if (size > share) return Math.max(1, share)
    left -= size
  }
  return Math.max(1, most)
}

/** The newest feeds of the log, newest first. Records that cannot be read are left out. */
export async function readRecentFeeds({
  log,
  maxFeeds,
  onError,
  signal,
}: RecentFeedsOptions): Promise<readonly FeedServed[]> {
  const topic = 'feeds-served.v1'
  const starts = await newestPositions(log, topic, maxFeeds, signal)
  const feeds: FeedServed[] = []
  const take = ({ value }: LogRecord): void => {
    if (value === null) return
    try {
      feeds.push(FeedServed.decode(value))
    } catch (error) {
      onError(error as Error)
    }
  }
  await readToEnd({
    ...{ log, topic, maxBatchRecords: 200, onError, signal },
    startAt: (partition) => starts[partition] ?? null,
    onRecords: (_partition, records) => {
      records.forEach(take)
    },
  })
  return feeds.toSorted((a, b) => b.atMs - a.atMs).slice(0, maxFeeds)
}
