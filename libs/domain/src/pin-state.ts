import { copyCounters, count, noCountersOf, type Counters } from './decay.ts'
import { actions, amountOf, positiveActions, subjectId, type Engagement, type PinAct } from './engagement.ts'
import { foldUserInto, noUsers, type DistinctUsers } from './features/distinct-users.ts'
import { foldPinBoard, onNoBoards, type PinBoards } from './features/pin-boards.ts'
import { bucketOf, buckets } from './features/positions.ts'

/** The state of a pin, board, creator or topic, folded from engagements. The functions of each part's file in `features/` read it. */
export interface PinState {
  /** Event time of the first and of the last engagement folded. */
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** One row per action, in the order of `actions`. */
  readonly counters: Counters
  /** Impressions, one row per bucket of positions. */
  readonly impressionsByPosition: Counters
  /** Closeups, clicks and saves, one row per bucket of positions. */
  readonly positivesByPosition: Counters
  /** The users who opened, clicked or saved it. */
  readonly users: DistinctUsers
  readonly boards: PinBoards
}

/** Caps of a pin's state. */
export interface PinLimits {
  readonly maxBoards: number
}

/** Caps unless configured. */
export const defaultPinLimits: PinLimits = { maxBoards: 64 }

/** The state of a pin without engagements. */
export const newPinState: PinState = ownNewPin()

/** Key of pin state in the store and of `pin-engagements.v1`: a pin's id. */
export function pinStateKey(pinId: string): string {
  return pinId
}

/** Key of the counters of a board, creator or topic. It contains a blank, and pin ids do not, so it cannot be a pin's key. */
export function subjectStateKey(kind: 'board' | 'creator' | 'topic', id: string): string {
  return `${kind} ${id}`
}

/** Whether a key of pin state is a pin's, and not a board's, creator's or topic's. */
export function isPinKey(key: string): boolean {
  return !key.includes(' ')
}

/** The keys whose state an engagement changes, in the order in which they are sent onward: its subject, then the board of a save or unsave. A word has no state. */
export function pinStateKeys({ subject, boardId }: Engagement): readonly string[] {
  if (subject.kind === 'word') return []
  const id = subjectId(subject)
  const first = subject.kind === 'pin' ? pinStateKey(id) : subjectStateKey(subject.kind, id)
  return boardId === null ? [first] : [first, subjectStateKey('board', boardId)]
}

/** A pin's state after more engagements, in the order of the log. Pure. Splitting the calls changes no byte; the order changes only the rounding of counters. */
export function foldPin(
  state: PinState,
  engagements: readonly PinAct[],
  limits: PinLimits = defaultPinLimits,
): PinState {
  const own: OwnPinState = {
    ...state,
    counters: copyCounters(state.counters),
    impressionsByPosition: copyCounters(state.impressionsByPosition),
    positivesByPosition: copyCounters(state.positivesByPosition),
    users: state.users.slice(),
  }
  foldIntoPin(own, engagements, limits)
  return own
}

/** A pin's state that owns its counters, so that folds can change it in place: a copy for each fold would cost more than the fold. */
export type OwnPinState = { -readonly [Part in keyof PinState]: PinState[Part] }

/** Creates a new pin's own state. */
export function ownNewPin(): OwnPinState {
  const [counters, impressionsByPosition, positivesByPosition] = noPinCounters()
  return {
    firstAtMs: 0,
    lastAtMs: 0,
    counters,
    impressionsByPosition,
    positivesByPosition,
    users: noUsers,
    boards: onNoBoards,
  }
}

/** The counters of a pin: `counters`, then impressions and positives by position. */
export function noPinCounters() {
  return noCountersOf(actions.length, buckets, buckets)
}

/** `foldPin` in place. */
export function foldIntoPin(own: OwnPinState, engagements: readonly PinAct[], limits: PinLimits): void {
  for (const engagement of engagements) {
    const { action, occurredAtMs, userId, shown } = engagement
    own.firstAtMs = own.firstAtMs === 0 ? occurredAtMs : Math.min(own.firstAtMs, occurredAtMs)
    own.lastAtMs = Math.max(own.lastAtMs, occurredAtMs)
    const amount = amountOf(engagement)
    count(own.counters, actions.indexOf(action), occurredAtMs, amount)
    if (action === 'impression') count(own.impressionsByPosition, bucketOf(shown.position), occurredAtMs, amount)
    else if (positiveActions.includes(action)) {
      count(own.positivesByPosition, bucketOf(shown.position), occurredAtMs, amount)
      if (own.users === noUsers) own.users = noUsers.slice()
      if (userId !== null) foldUserInto(own.users, userId)
    }
    own.boards = foldPinBoard(own.boards, engagement, limits.maxBoards)
  }
}
