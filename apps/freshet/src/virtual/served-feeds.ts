import { float32Column } from '@freshet/contracts/bytes/columns'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog } from '@freshet/contracts/ports/event-log'

/** The records of `feeds-served.v1`, as they are appended. */
export interface ServedFeeds {
  /** The log for the services. */
  wrapLog(log: EventLog): EventLog
  /** The record of a feed, once; undefined: none was appended. */
  take(feedId: string): FeedServed | undefined
}

/** Holds the records of feeds that were served until somebody takes them. */
export function createServedFeeds(): ServedFeeds {
  const feeds = new Map<string, FeedServed>()
  return {
    wrapLog: (log) => ({
      ...log,
      append(topic, records, options) {
        if (topic === 'feeds-served.v1')
          for (const { value } of records) {
            if (value === null) continue
            const feed = FeedServed.decode(value)
            feeds.set(feed.feedId, feed)
          }
        return log.append(topic, records, options)
      },
    }),
    take(feedId) {
      const feed = feeds.get(feedId)
      feeds.delete(feedId)
      return feed
    },
  }
}

/** The predicted probabilities of a page by action, in the order of its pins; null: the ranker did not score it. */
export function probabilitiesOf({ actions, pinIds, probabilities }: FeedServed): Record<string, number[]> | null {
  if (actions.length === 0) return null
  const columns = float32Column(probabilities)
  const { length } = pinIds
  return Object.fromEntries(
    actions.map((action, at) => [action, [...columns.subarray(at * length, (at + 1) * length)]]),
  )
}
