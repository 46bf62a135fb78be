import type { ClientEnvironment } from './environment.ts'
import { errorOf, noAnswer, postJson } from './send.ts'

/** Asks for a page of a user's home feed. */
export interface FeedRequest {
  readonly userId: string
  /** How many pins, 1–100; absent: 25. */
  readonly pageSize?: number
  /** `nextPageToken` of the page before. */
  readonly pageToken?: string
  /** Further tokens to be reflected, e.g. of events that another process sent. */
  readonly after?: readonly string[]
  readonly sessionId?: string
  /** BCP 47. */
  readonly locale?: string
  readonly signal?: AbortSignal
}

/** A pin in a feed. */
export interface FeedItem {
  readonly pinId: string
  /** In the whole feed over all pages, 0 = first. Give it, and `feedId`, with what the user does to the pin. */
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
  /** How far down the ladder the answer came from: `NONE` is the best. */
  readonly degradation: string
  readonly reasons: readonly string[]
  /** Whether the tracked events are reflected: `CURRENT`, or `BEHIND` where the deadline came first. */
  readonly freshness: string
}

/** Asks for a page. Rejects with a FreshetError. */
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
