import type { ShownPin } from './engagement.ts'
import type { ClientEnvironment } from './environment.ts'
import { feedOf, type Feed, type FeedRequest, type ListRequest, type SearchRequest } from './feed.ts'
import type { FreshetOptions } from './options.ts'
import type { Queue } from './queue.ts'
import type { Network } from './send.ts'
import { parsed } from './store.ts'
import type { User } from './user.ts'

/** The calls that ask for pins. Each rejects with a FreshetError. */
export interface Lists {
  /** A page of the user's home feed. */
  feed(request?: FeedRequest): Promise<Feed>
  /** The pins to show under an opened pin. */
  related(pin: string | ShownPin, request?: ListRequest): Promise<Feed>
  /** The pins with the most similar pictures. */
  search(request: SearchRequest): Promise<Feed>
}

/** The parts of the client that requests for pins need. */
export interface ListParts {
  readonly network: Network
  readonly who: User
  readonly queue: Queue
  /** The last token of each user. */
  readonly tokens: ReadonlyMap<string, string>
  /** Tracks what is on the screen. */
  readonly reportLooks: () => void
}

/** Pins named in a request at most. */
const maxNamedPins = 1_000

/** Creates the calls that ask for pins. */
export function createLists(
  options: FreshetOptions,
  { after }: ClientEnvironment,
  { network, who: user, queue, tokens, reportLooks }: ListParts,
): Lists {
  const { feedUrl, maxFlushWaitMs = 1_000 } = options
  const atMost = <T>(work: Promise<T>): Promise<T | undefined> =>
    new Promise((resolve) => {
      after(maxFlushWaitMs, () => resolve(undefined))
      void work.then(resolve)
    })

  /** Asks for pins that reflect what the user did, as far as the server knows it; the rest goes with the request. */
  const ask = async (list: 'feed' | 'related' | 'search', request: ListRequest): Promise<Feed> => {
    if (!feedUrl) throw TypeError('feedUrl')
    const { signal, userId = user.current(), filter, ...others } = request
    const isOwn = userId === user.current()
    reportLooks()
    await atMost(queue.sendNow())
    const waiting = (await atMost(queue.waiting(maxNamedPins))) ?? []
    const seen = waiting.flatMap((entry) =>
      entry.user === userId ? ((parsed(entry.json) as ShownPin | null)?.pinId ?? []) : [],
    )
    const tokensToReflect = [...(others.after ?? []), tokens.get(userId), isOwn && user.kept().token]
    const body = {
      client: options.client,
      locale: options.locale,
      sessionId: isOwn ? user.sessionNow() : undefined,
      ...others,
      userId,
      after: [...new Set(tokensToReflect)].filter(Boolean),
      filter:
        seen.length > 0
          ? { ...filter, seenPinIds: [...(filter?.seenPinIds ?? []), ...seen].slice(-maxNamedPins) }
          : filter,
    }
    return feedOf(
      (await network.post(`${feedUrl}/v1/${list}`, JSON.stringify(body), signal)) as Partial<Feed>,
      // A search has no feed, so its items have no surface.
      list === 'related' ? list : 'home',
    )
  }

  return {
    feed: (request = {}) => ask('feed', request),
    related: (pin, request = {}) => ask('related', { ...request, ...{ pinId: (pin as ShownPin).pinId ?? pin } }),
    search: (request) => ask('search', request),
  }
}
