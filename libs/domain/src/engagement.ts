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

/** Actions that show that a user liked a pin: neighbours, co-occurrence, walks and embeddings learn from them. */
export const positiveActions: readonly Action[] = ['closeup', 'click', 'save']

/** The subject of an engagement. Feeds show only pins; users follow, unfollow, block and unblock boards, creators and topics, and block and unblock words. */
export type Subject =
  | { readonly kind: 'pin'; readonly pinId: PinId }
  | { readonly kind: 'board'; readonly boardId: BoardId }
  | { readonly kind: 'creator'; readonly creatorId: CreatorId }
  | { readonly kind: 'topic'; readonly topicId: TopicId }
  | { readonly kind: 'word'; readonly word: string }

/** The id of a subject, or the word. */
export function subjectId(subject: Subject): string {
  switch (subject.kind) {
    case 'pin':
      return subject.pinId
    case 'board':
      return subject.boardId
    case 'creator':
      return subject.creatorId
    case 'topic':
      return subject.topicId
    case 'word':
      return subject.word
  }
}

export const surfaces = ['home', 'related'] as const
/** The surfaces that show feeds. */
export type Surface = (typeof surfaces)[number]

/** Where a pin was shown when the user acted on it: the slate it came from and its position (0 = first). */
export interface Shown {
  readonly feedId: FeedId | null
  readonly position: number | null
  readonly surface: Surface | null
}

/** An engagement without its id and its user id: everything that the user's own state depends on. */
export type Act = Omit<Engagement, 'eventId' | 'userId' | 'sourceTag'>

/** One action of a user. Times are milliseconds since the epoch, event time (already corrected for the client's clock). */
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
  /** Dwell time of closeups and clicks, milliseconds. */
  readonly dwellMs: number | null
  /** How much it counts in the counters of users and pins, in thousandths of a whole one: 1 to 999; absent: it is a whole one. Nothing else depends on it. */
  readonly weightThousandths?: number
  /** Which address sent it, as a number of 24 bits that changes every day; absent: the user is vouched for. Only counts of users over all users depend on it. */
  readonly sourceTag?: number
}

/** The amount by which an engagement raises a counter: 0.001 to 1. */
export function amountOf({ weightThousandths }: Pick<Engagement, 'weightThousandths'>): number {
  return weightThousandths === undefined ? 1 : weightThousandths / wholeWeight
}

/** The largest `sourceTag`. */
export const maxSourceTag = 2 ** 24 - 1

/** Thousandths in a whole engagement. */
export const wholeWeight = 1_000

/** The part of an engagement that its subject's state depends on. */
export interface PinAct {
  readonly action: Action
  readonly occurredAtMs: number
  /** Needed only for `positiveActions`; null is allowed for other actions. */
  readonly userId: string | null
  readonly boardId: string | null
  readonly shown: Pick<Shown, 'position'>
  /** As in `Engagement`. */
  readonly weightThousandths?: number
}
