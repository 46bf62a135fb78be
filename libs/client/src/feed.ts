import type { ShownPin } from './engagement.ts'

/** What a client reports about itself; each text has at most 64 characters. */
export interface ClientContext {
  readonly platform?: string
  readonly appVersion?: string
  readonly deviceClass?: string
  readonly country?: string
  readonly utcOffsetMinutes?: number
}

/** What a feed is restricted to. */
export interface FeedFilter {
  readonly topicIds?: readonly string[]
  readonly creatorIds?: readonly string[]
  readonly boardIds?: readonly string[]
  readonly maxAgeMs?: number
  readonly excludePinIds?: readonly string[]
  /** Pins that the user saw elsewhere. The client adds those whose events the server does not have yet. */
  readonly seenPinIds?: readonly string[]
  readonly allowedSafetyLabels?: readonly string[]
  readonly userAge?: number
  readonly includeOwnPins?: boolean
}

/** A request for pins. */
export interface ListRequest {
  /** Absent: the user of the client. */
  readonly userId?: string
  /** How many pins, 1–100; absent: 25. */
  readonly pageSize?: number
  /** Further tokens that the answer must reflect, e.g. of events that another process sent. */
  readonly after?: readonly string[]
  readonly sessionId?: string
  /** BCP 47. */
  readonly locale?: string
  readonly filter?: FeedFilter
  readonly signal?: AbortSignal
}

/** A request for a page of a user's home feed. */
export interface FeedRequest extends ListRequest {
  /** `nextPageToken` of the previous page. */
  readonly pageToken?: string
  /** The page may not be looked at. Under load these requests are refused first. */
  readonly prefetch?: boolean
  /** Whether the answer says from which of the user's own actions its sources started: `Feed.seeds`. */
  readonly explain?: boolean
}

/** A request for pins with similar pictures: give either an embedding or a pin. */
export interface SearchRequest extends ListRequest {
  readonly embedding?: readonly number[]
  readonly pinId?: string
}

/** A pin in a feed. Pass it as it is to the calls of actions and to `observe`. */
export interface FeedItem extends ShownPin {
  /** Position in the whole feed over all pages, 0 = first. */
  readonly position: number
  readonly utility: number
  readonly sources: readonly string[]
  /** The user was shown this pin before; it returns because no others are left. */
  readonly seenAgain: boolean
}

/** A page of a feed. */
export interface Feed {
  /** Empty for a search, which is not recorded. */
  readonly feedId: string
  readonly items: readonly FeedItem[]
  /** Empty: there is no further page. */
  readonly nextPageToken: string
  /** How far the answer is degraded: `NONE` is the best. */
  readonly degradation: string
  readonly reasons: readonly string[]
  /** Whether the answer reflects the accepted events: `CURRENT`, or `BEHIND` if the deadline came first. */
  readonly freshness: string
  /** The user's own actions that sources started from; empty: none did, or the request did not set `explain`. */
  readonly seeds: readonly SourceSeeds[]
}

/** The user's own actions that a source started from, in the order in which they count, at most 8. */
export interface SourceSeeds {
  readonly source: string
  readonly seeds: readonly Seed[]
}

/** An action of the user. */
export interface Seed {
  readonly pinId: string
  /** `SAVE`, `CLICK`, `CLOSEUP` … If the pin was saved, `SAVE`. */
  readonly action: string
  readonly occurredAtMs: number
}

/** Reads a page. Proto's JSON leaves out zeros and empty lists. */
export function feedOf(json: Partial<Feed>, surface: ShownPin['surface']): Feed {
  const { feedId = '', items = [], degradation = '', freshness = '', seeds = [] } = json
  const place = feedId && { feedId, surface }
  return {
    ...{ nextPageToken: '', reasons: [] },
    ...json,
    feedId,
    items: items.map((item: Partial<FeedItem>) => ({
      ...{ position: 0, utility: 0, sources: [], seenAgain: false },
      ...item,
      ...place,
    })) as FeedItem[],
    degradation: degradation.replace('DEGRADATION_', ''),
    freshness: freshness.replace('FRESHNESS_', ''),
    seeds: seeds.map((of) => ({
      ...of,
      seeds: of.seeds.map((seed) => ({ ...seed, action: seed.action.replace('ACTION_', '') })),
    })),
  }
}
