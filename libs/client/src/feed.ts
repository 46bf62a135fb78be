import type { ClientEnvironment } from './environment.ts'
import { errorOf, noAnswer, postJson } from './send.ts'

/** A request for a page of a user's home feed. */
export interface FeedRequest {
  readonly userId: string
  /** How many pins, 1–100; absent: 25. */
  readonly pageSize?: number
  /** `nextPageToken` of the previous page. */
  readonly pageToken?: string
  /** Further tokens that the feed must reflect, e.g. of events that another process sent. */
  readonly after?: readonly string[]
  readonly sessionId?: string
  /** BCP 47. */
  readonly locale?: string
  readonly signal?: AbortSignal
}

/** A pin in a feed. */
export interface FeedItem {
  readonly pinId: string
  /** Position in the whole feed over all pages, 0 = first. Send it and `feedId` with the user's actions on the pin. */
  readonly position: number
  readonly utility: number
  readonly sources: readonly string[]
}

/** A page of a feed. */
export interface Feed {
  readonly feedId: string
  readonly items: readonly FeedItem[]
  /** Empty: there is no further page. */
  readonly nextPageToken: string
  /** How far the answer is degraded: `NONE` is the best. */
  readonly degradation: string
  readonly reasons: readonly string[]
  /** Whether the answer reflects the tracked events: `CURRENT`, or `BEHIND` if the deadline came first. */
  readonly freshness: string
}

/** Requests a page. Rejects with a FreshetError. */
export async function requestFeed(
  feedUrl: string,
  request: FeedRequest,
  timeoutMs: number,
  environment: ClientEnvironment,
): Promise<Feed> {
  const { signal, ...message } = request
  const url = `${feedUrl.replace(/\/+$/, '')}/v1/feed`
  const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) }
  const answer = await postJson(url, JSON.stringify(message), options, environment).catch((error: unknown) => {
    throw noAnswer(error)
  })
  if (answer.status !== 200) throw errorOf(answer.status, answer.json)
  const json = answer.json as Partial<Feed>
  return {
    feedId: json.feedId ?? '',
    items: (json.items ?? []).map((item: Partial<FeedItem>) => ({
      pinId: item.pinId ?? '',
      position: item.position ?? 0,
      utility: item.utility ?? 0,
      sources: item.sources ?? [],
    })),
    nextPageToken: json.nextPageToken ?? '',
    degradation: json.degradation?.replace(/^DEGRADATION_/, '') ?? 'UNSPECIFIED',
    reasons: json.reasons ?? [],
    freshness: json.freshness?.replace(/^FRESHNESS_/, '') ?? 'UNSPECIFIED',
  }
}
