import type { TrackedEngagement } from './engagement.ts'
import type { ClientEnvironment } from './environment.ts'
import type { ClientContext } from './feed.ts'

/** An anonymous user who became known. */
export interface TrackedMerge {
  readonly eventId: string
  readonly intoUserId: string
  readonly occurredAt: string
}

/** What the client sends and the server answers. */
export type Tracked = TrackedEngagement | TrackedMerge

/** Why an event was dropped without the server's answer. */
export type DropReason = 'queue full' | 'too old' | 'no consent' | 'closed' | 'damaged'

/** A dropped event and the reason. */
export interface DroppedEvent {
  readonly event: Tracked
  readonly reason: DropReason
}

/** The server's description of why it will never accept an event. */
export interface Problem {
  /** Code of the server's error catalogue. */
  readonly code: string
  /** The field that is wrong; empty: none in particular. */
  readonly field: string
  readonly message: string
}

/** An event that the server will never accept. */
export interface RejectedEvent {
  readonly event: Tracked
  readonly problem: Problem
}

/** Options of a client. */
export interface FreshetOptions {
  /** The address of event-ingest, e.g. `https://events.example.org`. */
  readonly ingestUrl: string
  /** The HTTP address of the blender; absent: no `feed`, `related` and `search`. */
  readonly feedUrl?: string
  /** The public key of the project (`fw_…`). */
  readonly writeKey?: string
  /** A token (JWT) that lets the user read. Give a function where tokens expire: it is called again when the server refuses one. */
  readonly readToken?: string | (() => string | Promise<string>)
  /** Clients with different names share neither users nor queues; default `default`. */
  readonly name?: string
  /** The user, where the page knows it; it is the same as calling `identify`. */
  readonly userId?: string
  /** `required`: nothing is sent or stored before `optIn`. Default `assumed`: until `optOut`. */
  readonly consent?: 'assumed' | 'required'
  /** What feeds and pages report about the client, e.g. `{ platform: 'web' }`. */
  readonly client?: ClientContext
  /** BCP 47 locale of the user, passed with each request for a feed. */
  readonly locale?: string
  /** A batch is sent as soon as it holds this many events; 1–1,000, default 50. */
  readonly maxBatchEvents?: number
  /** The longest time that an event waits for a fuller batch; default 1,000. */
  readonly flushIntervalMs?: number
  /** Bytes of events kept while they cannot be sent. Beyond it the oldest are dropped; default 2 MiB in pages, 64 MiB in Node. */
  readonly maxQueuedBytes?: number
  /** Events that could not be sent for this long are dropped; default 7 days. */
  readonly maxAgeMs?: number
  /** How long one request may take; default 10,000. */
  readonly requestTimeoutMs?: number
  /** Pause before the first retry, doubled with each, half of it random; default 500. */
  readonly initialRetryMs?: number
  /** The longest such pause; `Retry-After` of the server may be longer. Default 30,000. */
  readonly maxRetryMs?: number
  /** How long a request for a feed waits for queued events to be sent; default 1,000. */
  readonly maxFlushWaitMs?: number
  /** Number of users whose last token is remembered; default 1,000. */
  readonly maxUsers?: number
  /** An impression with its dwell time is sent when the pin leaves the screen, or this long after it was noticed; default 5,000. */
  readonly maxLookMs?: number
  /** Called for every event that the server will never accept. */
  readonly onRejected?: (rejected: RejectedEvent) => void
  /** Called for every event that was dropped without the server's answer. */
  readonly onDropped?: (dropped: DroppedEvent) => void
  /** Called for every failed attempt that will be repeated, and when the storage fails. */
  readonly onError?: (error: Error) => void
  /** Called when an observed pin was on the screen too briefly for an impression and left it at the top. */
  readonly onScrolledPast?: (past: { readonly pin: object; readonly visibleMs: number }) => void
  /** Clock, random numbers, network and page; default: those of the browser or Node. */
  readonly environment?: Partial<ClientEnvironment>
}

/** Options in a page. */
export interface PageOptions extends FreshetOptions {
  /** Where events wait: `indexeddb` (default) survives the page and is shared by all tabs; `memory` ends with the page. */
  readonly storage?: 'indexeddb' | 'memory'
}
