import type { BoardId, CreatorId, EventId, FeedId, PinId, SessionId, TopicId, UserId } from './ids.ts'

/**
 * What a user can do, in the fixed order that counters and feature vectors use. An action's index here is its number on
 * the wire; new ones are added at the end only.
 */
export const actions = [
  'impression',
  'closeup',
  'click',
  'save',
  'hide',
  'report',
  'follow',
  'unsave',
  'unhide',
  'unreport',
  'unfollow',
  'block',
  'unblock',
  'dismiss',
] as const

export type Action = (typeof actions)[number]

/** Actions that say a user liked a pin: they feed neighbours, co-occurrence, walks and embeddings. */
export const positiveActions: readonly Action[] = ['closeup', 'click', 'save']

/** What an engagement is about. Only `pin` subjects can be shown; the others are followed, unfollowed, blocked and unblocked. */
export type Subject =
  | { readonly kind: 'pin'; readonly pinId: PinId }
  | { readonly kind: 'board'; readonly boardId: BoardId }
  | { readonly kind: 'creator'; readonly creatorId: CreatorId }
  | { readonly kind: 'topic'; readonly topicId: TopicId }

export const surfaces = ['home', 'related'] as const
/** Where feeds are shown. */
export type Surface = (typeof surfaces)[number]

/** Where a pin was shown when the user acted on it: the slate it came from and its position (0 = first). */
export interface Shown {
  readonly feedId: FeedId | null
  readonly position: number | null
  readonly surface: Surface | null
}

/** An engagement without its id and its user's: all that the user's own state depends on. */
export type Act = Omit<Engagement, 'eventId' | 'userId'>

/** What a user did, once. Times are milliseconds since the epoch, event time (already corrected for the client's clock). */
export interface Engagement {
  readonly eventId: EventId
  readonly userId: UserId
  readonly sessionId: SessionId | null
  readonly action: Action
  readonly subject: Subject
  /** The board of a save or unsave. */
  readonly boardId: BoardId | null
  readonly occurredAtMs: number
  readonly shown: Shown
  /** How long the user looked, milliseconds; of closeups and clicks. */
  readonly dwellMs: number | null
}

/** An engagement as far as the state of what it is about depends on it. */
export interface PinAct {
  readonly action: Action
  readonly occurredAtMs: number
  /** May be null where the action is none of `positiveActions`: then it is not asked for. */
  readonly userId: string | null
  readonly boardId: string | null
  readonly shown: Pick<Shown, 'position'>
}
