import type { Action } from '@freshet/domain/engagement'
import { hash53 } from '@freshet/domain/hash'
import { noLabels, withAction, type PinLabels } from './labels.ts'

/** A served feed as the joiner reads it. */
export interface ServedFeed {
  readonly feedId: string
  /** '': not known. */
  readonly userId: string
  readonly atMs: number
  /** When its record arrived in the log, milliseconds since the epoch. */
  readonly arrivedMs: number
  readonly pinIds: readonly string[]
}

/** What a user did with a pin, as the joiner reads it. */
export interface PinAction {
  /** '': the engagement names no feed. */
  readonly feedId: string
  readonly userId: string
  readonly pinId: string
  readonly action: Action
  readonly dwellMs: number | null
  readonly occurredAtMs: number
  /** When its record arrived in the log, milliseconds since the epoch. */
  readonly arrivedMs: number
}

/** How long the joiner waits, milliseconds. */
export interface JoinWindows {
  /** From the request of a feed: actions until then are its labels. */
  readonly windowMs: number
  /** Bound on how late the log gets a record that is in time. */
  readonly deliveryMs: number
  /** After the window has closed: actions until then correct the row. */
  readonly lateWindowMs: number
}

/** A feed whose actions the joiner collects. Everything about it is plain data, for the checkpoint. Many of them wait, so it is small. */
export interface WaitingFeed extends Omit<ServedFeed, 'pinIds'> {
  /** `hash53` of each pin id: ids take five times the memory, and the record of the feed has them. */
  readonly pinHashes: readonly number[]
  /** Actions that arrive before this are in time. */
  readonly closeMs: number
  /** When the joiner has read all actions that are in time. */
  readonly finalMs: number
  /** When no further action can correct its rows. */
  readonly forgetMs: number
  closed: boolean
  /** When the user was erased after the feed was final; null: not. */
  erasedAtMs: number | null
  /** By index of the pin; pins without actions are missing. */
  labels: Readonly<Record<number, PinLabels>>
  /** Late actions that came before the window was closed. */
  late: readonly LateAction[]
  /** Number of corrections by index of the pin. */
  revisions: Readonly<Record<number, number>>
}

/** A late action on a pin of a feed. */
export interface LateAction {
  readonly pin: number
  readonly act: Pick<PinAction, 'action' | 'dwellMs'>
}

// Most feeds have no actions: all of them share what is empty.
const noneByPin: Readonly<Record<number, never>> = {}
const noneLate: readonly LateAction[] = []

/** A feed that begins to wait. Its times depend on the log alone, not on when the joiner reads it. */
export function newWaitingFeed(feed: ServedFeed, windows: JoinWindows): WaitingFeed {
  const { windowMs, deliveryMs, lateWindowMs } = windows
  // A feed from the future would wait until then.
  const { feedId, userId, arrivedMs, pinIds } = feed
  const atMs = Math.min(feed.atMs, arrivedMs)
  const closeMs = Math.max(atMs + windowMs + deliveryMs, arrivedMs)
  return {
    feedId,
    userId,
    arrivedMs,
    pinHashes: pinIds.map((id) => hash53(id)),
    atMs,
    closeMs,
    finalMs: closeMs + deliveryMs,
    forgetMs: closeMs + lateWindowMs + deliveryMs,
    closed: false,
    erasedAtMs: null,
    labels: noneByPin,
    late: noneLate,
    revisions: noneByPin,
  }
}

/** Whether the record came so late that an earlier record of the same feed may be forgotten already. */
export function isExpired({ atMs, arrivedMs }: ServedFeed, windows: JoinWindows): boolean {
  return arrivedMs >= atMs + windows.windowMs + windows.deliveryMs + windows.lateWindowMs
}

/** Index of a pin in the feed; -1: the feed did not show it. */
export function indexOfPin(feed: WaitingFeed, pinId: string): number {
  return feed.pinHashes.indexOf(hash53(pinId))
}

/** Labels of a pin of the feed. */
export function labelsOf(feed: WaitingFeed, pin: number): PinLabels {
  return feed.labels[pin] ?? noLabels
}

/** Adds an action to the labels of a pin. false: it changed nothing. */
export function addLabel(feed: WaitingFeed, pin: number, act: Pick<PinAction, 'action' | 'dwellMs'>): boolean {
  const before = labelsOf(feed, pin)
  const after = withAction(before, act)
  if (after === before) return false
  feed.labels = { ...feed.labels, [pin]: after }
  return true
}
