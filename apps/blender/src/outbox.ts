import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'

/** Feeds on their way to `feeds-served.v1`: behind the answer, in order, bounded. */
export interface Outbox {
  /** Takes a feed; false: it was dropped because too many wait. */
  offer(feed: FeedServed): boolean
  /** Resolves when nothing waits any more. */
  flush(): Promise<void>
  readonly waiting: number
}

/** An outbox over a log. A batch that the log refuses is given up and told of; the log itself retries while it is unavailable. */
export function createOutbox({
  log,
  maxWaiting,
  onLost,
}: {
  readonly log: EventLog
  readonly maxWaiting: number
  readonly onLost: (feeds: number, error: unknown) => void
}): Outbox {
  let queue: NewRecord[] = []
  let sending: Promise<void> | null = null
  let underWay = 0

  async function send(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue
      queue = []
      underWay = batch.length
      try {
        await log.append('feeds-served.v1', batch)
      } catch (error) {
        onLost(batch.length, error)
      }
      underWay = 0
    }
    sending = null
  }

  return {
    offer(feed) {
      if (queue.length + underWay >= maxWaiting) return false
      queue.push({
        key: feed.userId === '' ? feed.feedId : feed.userId,
        value: FeedServed.encode(feed).finish(),
        partition: null,
      })
      sending ??= Promise.resolve().then(send)
      return true
    },
    flush: async () => {
      while (sending !== null) await sending
    },
    get waiting() {
      return queue.length + underWay
    },
  }
}
