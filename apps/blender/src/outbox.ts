import { encodeMessage } from '@freshet/contracts/bytes/wire'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { EngineClock } from '@freshet/pipeline/clock'

/** A bounded queue of feeds for `feeds-served.v1`. It writes them in order, after the answers. */
export interface Outbox {
  /** Queues a feed with the headers of its record. `make` runs after the answer. false: the queue was full, and the feed was dropped. */
  offer(make: () => FeedServed, headers?: MessageHeaders): boolean
  /** Sends all waiting feeds; resolves when the queue is empty. */
  flush(): Promise<void>
  /** The record of a feed that is not written yet; null: no such feed waits here. */
  find(feedId: string): Uint8Array | null
  readonly waiting: number
}

/** A feed whose record is made and not written yet. */
interface WaitingFeed {
  readonly feedId: string
  readonly value: Uint8Array
  readonly record: NewRecord
}

/** An outbox that writes to a log. It sends feeds of `lingerMs` together. It drops and reports a batch that the log rejects; the log itself retries while it is unavailable. */
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
  let queue: WaitingFeed[] = []
  let inFlight: readonly WaitingFeed[] = []
  let sending: Promise<void> | null = null
  let lingering: (() => void) | null = null
  let flushing = 0

  /** The inputs of a feed are much larger than its record, so the outbox makes the record soon after the answer and frees them. */
  function make(): void {
    const fresh = offered
    offered = []
    for (const { make: makeFeed, headers } of fresh) {
      try {
        const feed = makeFeed()
        const key = feed.userId === '' ? feed.feedId : feed.userId
        const value = encodeMessage(FeedServed, feed)
        queue.push({ feedId: feed.feedId, value, record: { key, value, partition: null, headers } })
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
    make()
    while (queue.length > 0) {
      inFlight = queue
      queue = []
      try {
        await log.append(
          'feeds-served.v1',
          inFlight.map(({ record }) => record),
        )
      } catch (error) {
        onLost(inFlight.length, error)
      }
      inFlight = []
      // Feeds that came meanwhile linger too, or each would have a write of its own under steady load.
      if (flushing === 0) break
      make()
    }
    sending = null
    if (offered.length + queue.length > 0) lingering ??= clock.after(lingerMs, begin)
  }

  const waiting = (): number => offered.length + queue.length + inFlight.length

  return {
    offer(feed, headers = noHeaders) {
      if (waiting() >= maxWaiting) return false
      if (offered.push({ make: feed, headers }) === 1) clock.after(0, make)
      if (sending === null) lingering ??= clock.after(lingerMs, begin)
      return true
    },
    async flush() {
      flushing++
      while (waiting() > 0 || sending !== null) {
        begin()
        await sending
      }
      flushing--
    },
    find(feedId) {
      make()
      const found = [...inFlight, ...queue].find((feed) => feed.feedId === feedId)
      return found?.value ?? null
    },
    get waiting() {
      return waiting()
    },
  }
}
