import { createClockOffset } from './clock-offset.ts'
import { trackedEngagement, type EngagementInput, type TrackedEngagement } from './engagement.ts'
import { systemEnvironment, type ClientEnvironment } from './environment.ts'
import { requestFeed, type Feed, type FeedRequest } from './feed.ts'
import { batchBody, maxKeepaliveBytes, sendBatch, type Attempt, type Receipt } from './send.ts'

/** Why an event was given up: the queue was full, the client was closed, or the server will never accept it. */
export type DropReason = 'queue full' | 'closed' | 'rejected'

/** A dropped event and the reason. */
export interface DroppedEvent {
  readonly event: TrackedEngagement
  readonly reason: DropReason
  /** The server's description of the problem, if it sent one. */
  readonly problem: { readonly code: string; readonly field: string; readonly message: string } | null
}

/** Options of a client. */
export interface FreshetClientOptions {
  /** The address of event-ingest, e.g. `https://events.example.org`. */
  readonly ingestUrl: string
  /** The HTTP address of the blender; absent: no `getFeed`. */
  readonly feedUrl?: string
  /** A batch is sent as soon as it holds this many events; 1–1,000, default 50. */
  readonly maxBatchEvents?: number
  /** The longest time that an event waits for a fuller batch; default 1,000. */
  readonly flushIntervalMs?: number
  /** Maximum number of events kept while the server is unavailable; default 1,000. */
  readonly maxQueuedEvents?: number
  /** Which event is dropped when the queue is full; default `oldest`. */
  readonly dropPolicy?: 'oldest' | 'newest'
  /** How long one request may take; default 10,000. */
  readonly requestTimeoutMs?: number
  /** Pause before the first retry, doubled with each, half of it random; default 500. */
  readonly initialRetryMs?: number
  /** The longest such pause; `Retry-After` of the server may be longer. Default 30,000. */
  readonly maxRetryMs?: number
  /** How long `getFeed` waits for queued events to be sent; default 1,000. */
  readonly maxFlushWaitMs?: number
  /** Number of users whose last token is remembered; default 1,000. */
  readonly maxUsers?: number
  /** Called for every dropped event. */
  readonly onDropped?: (dropped: DroppedEvent) => void
  /** Called for every failed attempt that will be repeated. */
  readonly onError?: (error: Error) => void
  /** Clock, random numbers, network and page; default: those of the browser or Node. */
  readonly environment?: Partial<ClientEnvironment>
}

/** Sends engagements and requests feeds that reflect them. */
export interface FreshetClient {
  /** Queues an engagement and returns its event id. Sending, retrying and batching happen by themselves. */
  track(engagement: EngagementInput): string
  /** Sends queued events now. Resolves to the number of remaining events when the queue is empty or an attempt has failed; retries continue by themselves. */
  flush(): Promise<{ readonly left: number }>
  /** Requests a page of the user's feed that reflects the events tracked before: it sends queued events first, then passes the token of the user's last event. Rejects with a FreshetError. */
  getFeed(request: FeedRequest): Promise<Feed>
  /** The token of the user's last accepted event; null: not known. */
  tokenOf(userId: string): string | null
  /** Number of events without an acknowledgement yet. */
  queued(): number
  /** Sends queued events (one attempt), reports the remaining ones as dropped, and stops. */
  close(): Promise<void>
}

/** Creates a client. It runs in browsers and in Node and depends on nothing. */
export function createFreshetClient(options: FreshetClientOptions): FreshetClient {
  const environment: ClientEnvironment = { ...systemEnvironment(), ...options.environment }
  const {
    maxBatchEvents = 50,
    flushIntervalMs = 1_000,
    maxQueuedEvents = 1_000,
    dropPolicy = 'oldest',
    requestTimeoutMs = 10_000,
    initialRetryMs = 500,
    maxRetryMs = 30_000,
    maxFlushWaitMs = 1_000,
    maxUsers = 1_000,
    onDropped = () => undefined,
    onError = () => undefined,
  } = options
  if (!(maxBatchEvents >= 1 && maxBatchEvents <= 1_000)) throw new RangeError('maxBatchEvents must be from 1 to 1,000')
  const ingestUrl = `${options.ingestUrl.replace(/\/+$/, '')}/v1/engagements`

  /** In the order of tracking; the first `inFlight` of them are being sent. */
  let queue: TrackedEngagement[] = []
  let inFlight = 0
  let sending: Promise<boolean> | null = null
  let cancelTimer: (() => void) | null = null
  let failures = 0
  let batchLimit = maxBatchEvents
  let closed = false
  const tokens = new Map<string, string>()
  // A request takes no longer than its timeout.
  const clockOffset = createClockOffset(requestTimeoutMs)

  const drop = (event: TrackedEngagement, reason: DropReason, problem: DroppedEvent['problem'] = null): void => {
    onDropped({ event, reason, problem })
  }

  /** Schedules the next batch after `ms`, unless one is scheduled already. */
  const schedule = (ms: number): void => {
    if (cancelTimer !== null || closed) return
    cancelTimer = environment.after(ms, () => {
      cancelTimer = null
      void drain()
    })
  }

  const unschedule = (): void => {
    cancelTimer?.()
    cancelTimer = null
  }

  /** Sends batch after batch until the queue is empty (true) or an attempt failed (false). */
  const drain = (): Promise<boolean> => {
    if (queue.length === 0) return sending ?? Promise.resolve(true)
    sending ??= sendAll()
    return sending
  }

  const sendAll = async (): Promise<boolean> => {
    unschedule()
    while (queue.length > 0) {
      const batch = nextBatch(queue, batchLimit)
      inFlight = batch.length
      const attempt = await sendBatch(
        ingestUrl,
        batch,
        { timeoutMs: requestTimeoutMs, clockOffsetMs: clockOffset.ms() },
        environment,
      )
      inFlight = 0
      if (settle(batch, attempt)) continue
      sending = null
      return false
    }
    // Immediately, not when the promise settles: nothing would send an event tracked in between.
    sending = null
    return true
  }

  /** Whether sending can continue immediately. */
  const settle = (batch: readonly TrackedEngagement[], attempt: Attempt): boolean => {
    if (attempt.kind === 'failed') {
      onError(attempt.error)
      const pauseMs = Math.min(maxRetryMs, initialRetryMs * 2 ** Math.min(failures++, 30))
      schedule(Math.max(attempt.retryAfterMs, pauseMs * (0.5 + environment.random() / 2)))
      return false
    }
    failures = 0
    if (attempt.kind === 'too large' && batch.length > 1) {
      batchLimit = Math.ceil(batch.length / 2)
      return true
    }
    queue = queue.slice(batch.length)
    if (attempt.kind !== 'answered') {
      const code = 'code' in attempt.error ? String(attempt.error.code) : attempt.kind
      for (const event of batch) drop(event, 'rejected', { code, field: '', message: attempt.error.message })
      return true
    }
    batchLimit = Math.min(maxBatchEvents, batchLimit * 2)
    const clockWasWrong = attempt.exchange !== null && clockOffset.learn(attempt.exchange)
    const again: TrackedEngagement[] = []
    for (const [index, event] of batch.entries()) {
      const receipt = attempt.receipts[index] as Receipt
      if (!('code' in receipt)) remember(event.userId, receipt.token)
      else if (clockWasWrong && receipt.code.startsWith('EVENT_TIME_')) again.push(event)
      else drop(event, 'rejected', receipt)
    }
    queue = [...again, ...queue]
    return true
  }

  const remember = (userId: string, token: string): void => {
    tokens.delete(userId)
    tokens.set(userId, token)
    if (tokens.size > maxUsers) tokens.delete(tokens.keys().next().value as string)
  }

  const makeRoom = (): void => {
    if (queue.length <= maxQueuedEvents) return
    // Keep events in flight: the answer refers to them by index.
    const at = dropPolicy === 'oldest' && inFlight < queue.length - 1 ? inFlight : queue.length - 1
    for (const event of queue.splice(at, 1)) drop(event, 'queue full')
  }

  /** The page is about to close: hands all events that are not in flight to the browser. */
  const handOver = (page: NonNullable<ClientEnvironment['page']>): void => {
    while (queue.length > inFlight) {
      const batch = nextBatch(queue.slice(inFlight), maxBatchEvents)
      if (!page.beacon(ingestUrl, batchBody(batch, environment.now(), clockOffset.ms()))) return
      queue.splice(inFlight, batch.length)
    }
  }

  const atMost = (ms: number, work: Promise<unknown>): Promise<void> =>
    new Promise((resolve) => {
      const cancel = environment.after(ms, resolve)
      void work.finally(() => {
        cancel()
        resolve()
      })
    })

  const { page } = environment
  const unlisten =
    page === null
      ? []
      : [
          page.on('hidden', () => void drain()),
          page.on('gone', () => {
            handOver(page)
          }),
        ]

  const client: FreshetClient = {
    track(input) {
      const event = trackedEngagement(input, environment.now(), environment.newEventId)
      if (closed) drop(event, 'closed')
      else {
        queue.push(event)
        makeRoom()
        if (queue.length - inFlight >= maxBatchEvents && failures === 0) void drain()
        else if (sending === null) schedule(flushIntervalMs)
      }
      return event.eventId
    },
    async flush() {
      // A running drain began before the last event was tracked, but continues until the queue is empty.
      await drain()
      return { left: queue.length }
    },
    async getFeed(request) {
      if (options.feedUrl === undefined) throw new TypeError('getFeed needs the option feedUrl')
      if (queue.some(({ userId }) => userId === request.userId)) await atMost(maxFlushWaitMs, client.flush())
      const token = tokens.get(request.userId)
      const after = [...(request.after ?? []), ...(token === undefined ? [] : [token])]
      return requestFeed(options.feedUrl, { ...request, after }, requestTimeoutMs, environment)
    },
    tokenOf: (userId) => tokens.get(userId) ?? null,
    queued: () => queue.length,
    async close() {
      if (closed) return
      closed = true
      for (const stop of unlisten) stop()
      await drain()
      unschedule()
      for (const event of queue.splice(0)) drop(event, 'closed')
    },
  }
  return client
}

/** The longest prefix of `events` that fits one request, at least one event. */
function nextBatch(events: readonly TrackedEngagement[], maxEvents: number): TrackedEngagement[] {
  const batch: TrackedEngagement[] = []
  let bytes = 100
  for (const event of events) {
    // A UTF-16 code unit takes at most three bytes; ids are nearly always ASCII, so this estimate is high enough.
    bytes += JSON.stringify(event).length + 1
    if (batch.length > 0 && (batch.length >= maxEvents || bytes > maxKeepaliveBytes)) break
    batch.push(event)
  }
  return batch
}
