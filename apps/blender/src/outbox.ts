import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { EngineClock } from '@freshet/pipeline/clock'

/** Feeds on their way to `feeds-served.v1`: behind the answer, in order, bounded. */
export interface Outbox {
  /** Takes a feed, which is made after the answer, and the headers of its record; false: it was dropped because too many wait. */
  offer(make: () => FeedServed, headers?: MessageHeaders): boolean
  /** Sends what waits; resolves when nothing waits any more. */
  flush(): Promise<void>
  readonly waiting: number
}

/** An outbox over a log. Feeds of `lingerMs` go together. A batch that the log refuses is given up and told of; the log itself retries while it is unavailable. */
export function createOutbox({
  log,
  clock,
  maxWaiting,
  lingerMs,
  onLost,
}: {
  readonly log: EventLog
  readonly clock: EngineClock
  readonly maxWaiting: number
  readonly lingerMs: number
  readonly onLost: (feeds: number, error: unknown) => void
}): Outbox {
  let offered: { readonly make: () => FeedServed; readonly headers: MessageHeaders }[] = []
  let queue: NewRecord[] = []
  let sending: Promise<void> | null = null
  let lingering: (() => void) | null = null
  let underWay = 0

  /** What a feed is made from is much larger than its record, and is let go after the answer. */
  function make(): void {
    const fresh = offered
    offered = []
    for (const { make: feedOf, headers } of fresh) {
      try {
        const feed = feedOf()
        const key = feed.userId === '' ? feed.feedId : feed.userId
        queue.push({ key, value: FeedServed.encode(feed).finish(), partition: null, headers })
      } catch (error) {
        onLost(1, error)
      }
    }
  }

  function begin(): void {
    lingering?.()
    lingering = null
    sending ??= Promise.resolve().then(send)
  }

  async function send(): Promise<void> {
    for (make(); queue.length > 0; make()) {
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

  const waiting = (): number => offered.length + queue.length + underWay

  return {
    offer(feed, headers = noHeaders) {
      if (waiting() >= maxWaiting) return false
      if (offered.push({ make: feed, headers }) === 1) clock.after(0, make)
      if (sending === null) lingering ??= clock.after(lingerMs, begin)
      return true
    },
    async flush() {
      while (waiting() > 0 || sending !== null) {
        begin()
        await sending
      }
    },
    get waiting() {
      return waiting()
    },
  }
}
