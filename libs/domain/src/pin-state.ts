import { copyCounters, count, noCounters, type Counters } from './decay.ts'
import { actions, positiveActions, type Action, type Engagement, type Shown } from './engagement.ts'
import { foldActions } from './features/action-counts.ts'
import { foldUserInto, noUsers, type DistinctUsers } from './features/distinct-users.ts'
import { foldPinBoard, onNoBoards, type PinBoards } from './features/pin-boards.ts'
import { bucketOf, buckets } from './features/positions.ts'

/** What is known of a pin from engagements; of a board, creator or topic, too. Each part is read by the functions of its file in `features/`. */
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
  /** Those who opened, clicked or saved it. */
  readonly users: DistinctUsers
  readonly boards: PinBoards
}

/** Caps of a pin's state. */
export interface PinLimits {
  readonly maxBoards: number
}

/** Caps unless configured. */
export const defaultPinLimits: PinLimits = { maxBoards: 64 }

/** A pin with which nobody has engaged. */
export const newPinState: PinState = {
  firstAtMs: 0,
  lastAtMs: 0,
  counters: noCounters(actions.length),
  impressionsByPosition: noCounters(buckets),
  positivesByPosition: noCounters(buckets),
  users: noUsers,
  boards: onNoBoards,
}

/** Key of pin state in the store and of `pin-engagements.v1`: a pin's id. */
export function pinStateKey(pinId: string): string {
  return pinId
}

/** Key of the counters of a board, creator or topic: ids hold no space, so none of these is a pin's. */
export function subjectStateKey(kind: 'board' | 'creator' | 'topic', id: string): string {
  return `${kind} ${id}`
}

/** Whether a key of pin state is a pin's, and not a board's, creator's or topic's. */
export function isPinKey(key: string): boolean {
  return !key.includes(' ')
}

/** The keys whose state an engagement changes, in the order in which they are sent onward: its subject, then the board of a save or unsave. */
export function pinStateKeys({ subject, boardId }: Engagement): readonly string[] {
  const first =
    subject.kind === 'pin'
      ? pinStateKey(subject.pinId)
      : subject.kind === 'board'
        ? subjectStateKey('board', subject.boardId)
        : subject.kind === 'creator'
          ? subjectStateKey('creator', subject.creatorId)
          : subjectStateKey('topic', subject.topicId)
  return boardId === null ? [first] : [first, subjectStateKey('board', boardId)]
}

/** An engagement as far as the state of what it is about depends on it. */
export interface PinAct {
  readonly action: Action
  readonly occurredAtMs: number
  readonly userId: string
  readonly boardId: string | null
  readonly shown: Pick<Shown, 'position'>
}

/** A pin's state after more engagements, in the order of the log. Pure; splitting the calls changes no byte, the order only the rounding of counters. */
export function foldPin(
  state: PinState,
  engagements: readonly PinAct[],
  limits: PinLimits = defaultPinLimits,
): PinState {
  let { firstAtMs, lastAtMs, users, boards } = state
  // Copied only where something is counted: most events leave one of them as it is.
  let impressions: Counters | null = null
  let positives: Counters | null = null
  for (const engagement of engagements) {
    const { action, occurredAtMs, userId, shown } = engagement
    firstAtMs = firstAtMs === 0 ? occurredAtMs : Math.min(firstAtMs, occurredAtMs)
    lastAtMs = Math.max(lastAtMs, occurredAtMs)
    if (action === 'impression') {
      impressions ??= copyCounters(state.impressionsByPosition)
      count(impressions, bucketOf(shown.position), occurredAtMs)
    }
    if (positiveActions.includes(action)) {
      positives ??= copyCounters(state.positivesByPosition)
      count(positives, bucketOf(shown.position), occurredAtMs)
      users = foldUserInto(users, userId)
    }
    boards = foldPinBoard(boards, engagement, limits.maxBoards)
  }
  const counters = foldActions(state.counters, engagements)
  return {
    firstAtMs,
    lastAtMs,
    counters,
    impressionsByPosition: impressions ?? state.impressionsByPosition,
    positivesByPosition: positives ?? state.positivesByPosition,
    users,
    boards,
  }
}
