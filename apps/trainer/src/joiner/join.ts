import type { DropReason, JoinCounts, UnmatchedReason } from './counts.ts'
import { createHeldActions, type HeldAction } from './held-actions.ts'
import type { PinLabels } from './labels.ts'
import { createTimeQueue } from './time-queue.ts'
import {
  addLabel,
  indexOfPin,
  isExpired,
  labelsOf,
  newWaitingFeed,
  type JoinWindows,
  type PinAction,
  type ServedFeed,
  type WaitingFeed,
} from './waiting-feed.ts'

/** What the join decided, in order. */
export type JoinOutcome =
  /** The window has closed: write a row for each pin. */
  | { readonly kind: 'closed'; readonly feed: WaitingFeed; readonly labels: Readonly<Record<number, PinLabels>> }
  /** A late action changed the labels of a pin: write its row again. */
  | {
      readonly kind: 'corrected'
      readonly feed: WaitingFeed
      readonly pin: number
      readonly labels: PinLabels
      readonly revision: number
    }
  /** The feed is not needed any more. */
  | { readonly kind: 'forgotten'; readonly feed: WaitingFeed }

/** The feeds and actions that wait, as JSON. */
export interface JoinState {
  readonly feeds: readonly WaitingFeed[]
  readonly held: readonly HeldAction[]
  readonly erased: readonly (readonly [userId: string, arrivedMs: number])[]
}

/** Bounds of the join. */
export interface JoinLimits extends JoinWindows {
  readonly maxFeeds: number
  readonly maxActions: number
}

/**
 * Joins served feeds with actions. What it decides depends on the records of each partition and their times alone, not on how
 * the partitions interleave; `advance` only says what can be decided. Nothing here waits or does I/O.
 */
export interface Join {
  /** false: the feed is dropped, and the counts say why. */
  serve(feed: ServedFeed): boolean
  act(action: PinAction, partition: number): void
  /** Drops what waits for a user who was erased by a record that arrived at this time. */
  forgetUser(userId: string, arrivedMs: number): void
  /** Decides everything that can be decided: all records that arrived before `readToMs` were read. */
  advance(readToMs: number): void
  /** Closes the feed that closes first, before its time. false: none waits. */
  closeEarly(): boolean
  /** Closes and forgets every feed: nothing else will come. */
  closeAll(): void
  /** The first outcome that was not taken yet; `taken` removes it. */
  next(): JoinOutcome | undefined
  taken(): void
  waiting(): { readonly feeds: number; readonly positions: number; readonly actions: number }
  save(): JoinState
  load(state: JoinState): void
}

/** An empty join that adds to `counts`. */
export function createJoin(limits: JoinLimits, counts: JoinCounts): Join {
  const feeds = new Map<string, WaitingFeed>()
  const byUser = new Map<string, WaitingFeed[]>()
  const queue = createTimeQueue<WaitingFeed>()
  const held = createHeldActions()
  const erased = new Map<string, number>()
  let outcomes: JoinOutcome[] = []
  let outcomesTaken = 0
  let positions = 0

  const drop = (pins: number, reason: DropReason): false => {
    counts.dropped[reason] += pins
    return false
  }
  const leave = (reason: UnmatchedReason): void => {
    counts.unmatched[reason]++
  }

  function admit(feed: WaitingFeed): void {
    feeds.set(feed.feedId, feed)
    const ofUser = byUser.get(feed.userId)
    if (ofUser === undefined) byUser.set(feed.userId, [feed])
    else ofUser.push(feed)
    if (!feed.closed) positions += feed.pinHashes.length
    queue.push(feed, feed.closed ? feed.forgetMs : feed.finalMs, feed.feedId)
  }

  function remove(feed: WaitingFeed): void {
    if (!feeds.delete(feed.feedId)) return
    if (!feed.closed) positions -= feed.pinHashes.length
    const rest = (byUser.get(feed.userId) ?? []).filter((other) => other !== feed)
    if (rest.length === 0) byUser.delete(feed.userId)
    else byUser.set(feed.userId, rest)
    outcomes.push({ kind: 'forgotten', feed })
  }

  function apply(action: PinAction, feed: WaitingFeed): void {
    if (feed.userId !== '' && feed.userId !== action.userId) return leave('other-user')
    if (feed.erasedAtMs !== null && feed.erasedAtMs <= action.arrivedMs) return leave('feed-unknown')
    const pin = indexOfPin(feed, action.pinId)
    if (pin < 0) return leave('pin-not-shown')
    if (action.arrivedMs >= feed.closeMs + limits.lateWindowMs) return leave('feed-unknown')
    if (action.arrivedMs < feed.closeMs && action.occurredAtMs <= feed.atMs + limits.windowMs) {
      counts.matched++
      addLabel(feed, pin, action)
      return
    }
    counts.late++
    if (feed.closed) correct(feed, pin, action)
    else feed.late = [...feed.late, { pin, act: { action: action.action, dwellMs: action.dwellMs } }]
  }

  function correct(feed: WaitingFeed, pin: number, act: Pick<PinAction, 'action' | 'dwellMs'>): void {
    if (!addLabel(feed, pin, act)) return
    const revision = Math.min(255, (feed.revisions[pin] ?? 0) + 1)
    feed.revisions = { ...feed.revisions, [pin]: revision }
    outcomes.push({ kind: 'corrected', feed, pin, labels: labelsOf(feed, pin), revision })
  }

  function close(feed: WaitingFeed): void {
    feed.closed = true
    positions -= feed.pinHashes.length
    outcomes.push({ kind: 'closed', feed, labels: feed.labels })
    const { late } = feed
    feed.late = []
    for (const { pin, act } of late) correct(feed, pin, act)
    if (feed.erasedAtMs === null && feed.forgetMs > feed.finalMs) queue.push(feed, feed.forgetMs, feed.feedId)
    else remove(feed)
  }

  /** The last feed with the pin that the user got before the action and within the window. */
  function lastFeedOf(action: HeldAction): WaitingFeed | undefined {
    const { occurredAtMs, arrivedMs, pinId, resolveMs } = action
    let last: WaitingFeed | undefined
    for (const feed of byUser.get(action.userId) ?? []) {
      if (feed.atMs > occurredAtMs || occurredAtMs > feed.atMs + limits.windowMs) continue
      if (feed.arrivedMs >= resolveMs || arrivedMs >= feed.closeMs + limits.lateWindowMs) continue
      if (indexOfPin(feed, pinId) < 0) continue
      if (last === undefined || feed.atMs > last.atMs || (feed.atMs === last.atMs && feed.feedId > last.feedId)) {
        last = feed
      }
    }
    return last
  }

  function resolve(action: HeldAction): void {
    const feed = action.feedId === '' ? lastFeedOf(action) : undefined
    if (feed === undefined) leave('feed-unknown')
    else apply(action, feed)
  }

  const join: Join = {
    serve(feed) {
      counts.positions += feed.pinIds.length
      if (isExpired(feed, limits)) return drop(feed.pinIds.length, 'expired')
      if (feeds.has(feed.feedId)) return drop(feed.pinIds.length, 'repeated')
      const waiting = newWaitingFeed(feed, limits)
      const erasedAtMs = erased.get(feed.userId)
      if (erasedAtMs !== undefined && feed.arrivedMs <= erasedAtMs) {
        if (waiting.finalMs > erasedAtMs) return drop(feed.pinIds.length, 'erased')
        waiting.erasedAtMs = erasedAtMs
      }
      admit(waiting)
      for (const action of held.of(feed.feedId)) {
        if (feed.arrivedMs >= action.resolveMs) continue
        held.settle(action)
        apply(action, waiting)
      }
      while (feeds.size > limits.maxFeeds && join.closeEarly());
      return true
    },
    act(action, partition) {
      const feed = action.feedId === '' ? undefined : feeds.get(action.feedId)
      const resolveMs = action.arrivedMs + limits.deliveryMs
      if (feed !== undefined && feed.arrivedMs < resolveMs) return apply(action, feed)
      held.push({ ...action, partition, resolveMs, done: false })
      if (held.size > limits.maxActions && held.pop(Infinity) !== null) leave('crowded')
    },
    forgetUser(userId, arrivedMs) {
      erased.set(userId, Math.max(arrivedMs, erased.get(userId) ?? 0))
      for (const feed of byUser.get(userId) ?? []) {
        if (feed.arrivedMs > arrivedMs) continue
        if (!feed.closed && feed.finalMs <= arrivedMs) {
          feed.erasedAtMs = arrivedMs
          continue
        }
        if (!feed.closed) drop(feed.pinHashes.length, 'erased')
        remove(feed)
      }
      for (const action of held.ofUser(userId)) {
        if (action.resolveMs <= arrivedMs) continue
        held.settle(action)
        leave('erased')
      }
    },
    advance(readToMs) {
      for (let action = held.pop(readToMs); action !== null; action = held.pop(readToMs)) resolve(action)
      for (let feed = queue.pop(readToMs); feed !== null; feed = queue.pop(readToMs)) {
        // Those of erased users stay in the queue.
        if (feeds.get(feed.feedId) !== feed) continue
        if (feed.closed) remove(feed)
        else close(feed)
      }
      for (const [userId, atMs] of erased) if (atMs < readToMs) erased.delete(userId)
    },
    closeEarly() {
      const feed = queue.pop(Infinity)
      if (feed === null) return false
      if (feeds.get(feed.feedId) !== feed) return true
      if (!feed.closed) {
        counts.closedEarly++
        close(feed)
      }
      remove(feed)
      return true
    },
    closeAll: () => join.advance(Infinity),
    next: () => outcomes[outcomesTaken],
    taken() {
      if (++outcomesTaken < outcomes.length) return
      outcomes = []
      outcomesTaken = 0
    },
    waiting: () => ({ feeds: feeds.size, positions, actions: held.size }),
    save: () => ({ feeds: [...feeds.values()], held: held.all(), erased: [...erased] }),
    load(state) {
      for (const feed of state.feeds) admit(feed)
      for (const action of state.held) held.push(action)
      for (const [userId, atMs] of state.erased) erased.set(userId, atMs)
    },
  }
  return join
}
