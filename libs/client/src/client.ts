import { actions, type Action, type ActionCalls, type EngagementInput, type ShownPin } from './engagement.ts'
import type { ClientEnvironment } from './environment.ts'
import type { FeedItem } from './feed.ts'
import type { createLists, Lists } from './lists.ts'
import { createLooks } from './looks.ts'
import type { DropReason, FreshetOptions, Tracked } from './options.ts'
import { createQueue } from './queue.ts'
import { createNetwork } from './send.ts'
import { isoOf, parsed, type Ending, type NewEntry, type Store } from './store.ts'
import { createUser } from './user.ts'

/** What became of the events of this client, since it was created. */
export interface Counts {
  readonly tracked: number
  readonly accepted: number
  readonly rejected: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
}

/** Sends engagements. It has a call for each action, such as `save` and `follow`. */
export interface Tracker extends ActionCalls {
  /** Queues an engagement, as the calls of the actions do. Resolves to its id when the event is in storage or has ended. Never rejects. */
  track(engagement: EngagementInput): Promise<string>
  /**
   * Tracks an impression with its dwell time when half of the element was visible for a second, once per feed and position.
   * The returned function ends the observation: call it when the element is removed.
   */
  observe(element: object, pin: ShownPin): () => void
  /** The user became known. What the anonymous user did counts for the known one. */
  identify(userId: string): Promise<void>
  /** The user logs out: a new anonymous user begins. */
  reset(): void
  /** The user the next event belongs to. */
  userId(): string
  /** Allows the client to send and store. */
  optIn(): void
  /** Forbids it: drops what waits and forgets who the user is. */
  optOut(): Promise<void>
  /** Sends queued events now. Resolves to the number of remaining events when none is left or an attempt has failed; retries continue by themselves. */
  flush(): Promise<{ readonly left: number }>
  /** The token of the user's last accepted event; null: not known. */
  tokenOf(userId: string): string | null
  counts(): Counts
  /** Sends queued events (one attempt) and stops. What cannot be sent stays in storage; in memory it is dropped and reported. */
  close(): Promise<void>
}

/** Sends engagements and asks for feeds that reflect them. */
export interface Freshet extends Tracker, Lists {}

/** What a client is made of. */
export interface ClientParts {
  /** null: events wait in memory. */
  readonly store: Store | null
  readonly defaultMaxBytes: number
  /** Absent: a client that only tracks. */
  readonly createLists?: typeof createLists | undefined
}

/** Creates a client over a store. */
export function createClient(
  options: FreshetOptions,
  environment: ClientEnvironment,
  { store, defaultMaxBytes, createLists }: ClientParts,
): Tracker {
  const { maxUsers = 1_000, maxLookMs = 5_000 } = options
  const { page, now, newEventId } = environment
  const user = createUser(options.name ?? 'default', options.consent !== 'required', environment)
  const network = createNetwork(options, environment)
  const tokens = new Map<string, string>()
  const dropped: Partial<Record<DropReason, number>> = {}
  const counts = { tracked: 0, accepted: 0, rejected: 0, dropped }
  const closing = new AbortController()

  /** Calls back to the app, whose errors are not the client's. */
  const call = <T>(callback: ((value: T) => void) | undefined, value: T): void => {
    queueMicrotask(() => callback?.(value))
  }

  const onEnded = ({ id: eventId, json }: NewEntry, ending: Ending): void => {
    const event = { ...parsed(json), eventId } as Tracked
    if (typeof ending === 'string') {
      dropped[ending] = (dropped[ending] ?? 0) + 1
      call(options.onDropped, { event, reason: ending })
    } else {
      counts.rejected++
      call(options.onRejected, { event, problem: ending })
    }
  }

  const queue = createQueue({
    ...options,
    ...{ store, network, environment, onEnded },
    maxQueuedBytes: options.maxQueuedBytes ?? defaultMaxBytes,
    maySend: user.consents,
    onAccepted(entries, tokenOf) {
      const own = user.current()
      let last: string | undefined
      for (const entry of entries) {
        const userId = entry.user
        const token = tokenOf(entry)
        counts.accepted++
        tokens.delete(userId)
        tokens.set(userId, token)
        if (tokens.size > maxUsers) tokens.delete(tokens.keys().next().value!)
        if (userId === own) last = token
      }
      if (last) user.update({ token: last })
    },
    onError: (error) => {
      call(options.onError, error)
    },
  })

  const add = async (id: string, userId: string, event: object, to?: string): Promise<string> => {
    counts.tracked++
    const entry = { id, user: userId, at: now(), json: JSON.stringify(event), ...(to && { to }) }
    if (user.consents()) await queue.enqueue(entry)
    else onEnded(entry, 'no consent')
    return id
  }

  /** Queues the merge of the user who became known, also the one that an earlier page did not get to. */
  const merge = async (): Promise<void> => {
    const { user: intoUserId, merging } = user.kept()
    if (!intoUserId || !merging) return
    const event = { intoUserId, occurredAt: isoOf(now()) }
    await add(newEventId(), intoUserId, event, `/v1/users/${encodeURIComponent(merging)}/merge`)
    if (user.kept().merging === merging) user.update({ merging: undefined })
  }

  const track = (input: EngagementInput): Promise<string> => {
    // What a feed item says beside its place is not part of the event.
    const {
      occurredAtMs = now(),
      utility: _,
      sources: __,
      seenAgain: ___,
      ...others
    } = input as EngagementInput & FeedItem
    const {
      eventId = newEventId(),
      userId = user.current(),
      sessionId = others.userId ? undefined : user.sessionNow(),
    } = others
    return add(eventId, userId, { ...others, eventId, userId, sessionId, occurredAt: isoOf(occurredAtMs) })
  }

  const looks = createLooks({
    environment,
    maxLookMs,
    onSeen: (pin, dwellMs) => void track({ ...(pin as ShownPin), action: 'impression', dwellMs }),
    onScrolledPast: (pin, visibleMs) => {
      call(options.onScrolledPast, { pin, visibleMs })
    },
  })
  /** What is on the screen belongs to what comes before. */
  const report = (): void => {
    looks.update(true)
  }

  /** A page that is left becomes hidden too. What it begins then would keep it out of the back/forward cache. */
  let isLeft = false
  // Hidden or shown, back from the back/forward cache, or perhaps back on the network.
  for (const event of ['pagehide', 'visibilitychange', 'pageshow', 'online'] as const)
    page?.on(
      event,
      () => {
        const isLast = event === 'pagehide'
        isLeft = isLast || (isLeft && event === 'visibilitychange')
        looks.update(isLast)
        if (isLast) queue.leave()
        else if (!isLeft) void queue.sendNow()
      },
      closing.signal,
    )

  const client = {
    track,
    observe: (element, pin) => looks.look(element, pin, [pin.feedId, pin.position, pin.pinId].join()),
    ...createLists?.(options, environment, { network, who: user, queue, tokens, reportLooks: report }),
    async identify(userId) {
      const { user: known, anonymous } = user.kept()
      if (known === userId) return
      report()
      const others = { token: undefined, anonymous: undefined, merging: known ? undefined : anonymous }
      user.update({ user: userId, ...others })
      network.renew()
      await merge()
    },
    reset() {
      report()
      user.renew()
      network.renew()
    },
    userId: user.current,
    optIn: () => {
      user.renew(true, user.kept())
    },
    optOut() {
      user.renew(false)
      tokens.clear()
      return queue.dropAll()
    },
    async flush() {
      report()
      await queue.sendNow()
      return { left: (await queue.waiting(1e6)).length }
    },
    tokenOf: (userId) => tokens.get(userId) ?? null,
    counts: () => structuredClone(counts),
    close() {
      report()
      closing.abort()
      return queue.close()
    },
  } as Tracker & Record<Action, (subject: string | object, details?: object) => Promise<string>>
  for (const action of actions)
    client[action] = (subject, details) =>
      track({ ...(typeof subject === 'string' ? { pinId: subject } : subject), ...details, action })
  void merge()
  if (options.userId) void client.identify(options.userId)
  // What earlier pages or processes left.
  if (store) void queue.sendNow()
  return client
}
