/** The actions of users. */
export type Action =
  | 'impression'
  | 'closeup'
  | 'click'
  | 'save'
  | 'unsave'
  | 'hide'
  | 'unhide'
  | 'report'
  | 'unreport'
  | 'dismiss'
  | 'follow'
  | 'unfollow'
  | 'block'
  | 'unblock'

/** All actions; each is a call of the client. */
export const actions = [
  ...'impression closeup click dismiss'.split(' '),
  ...'save hide report follow block'.split(' ').flatMap((action) => [action, `un${action}`]),
] as Action[]

/** Actions on something other than a pin. */
type OtherAction = 'follow' | 'unfollow' | 'block' | 'unblock'

/** Where a pin was shown. Items of feeds have these fields, so they can be passed as they are. */
export interface ShownPin {
  readonly pinId: string
  /** The id of the feed that showed the pin. */
  readonly feedId?: string
  /** The position in that feed, 0 = first. */
  readonly position?: number
  readonly surface?: 'home' | 'related'
}

/** What an event may say beside its subject. */
export interface Details {
  /** Absent: the client creates one. Give one if the same event may be tracked twice. */
  readonly eventId?: string
  /** Absent: the user of the client. Servers give it with each event. */
  readonly userId?: string
  /** Absent: the session of the client. */
  readonly sessionId?: string
  /** Absent: now. Milliseconds since the epoch by the client's clock; the server corrects errors of that clock. */
  readonly occurredAtMs?: number
  readonly feedId?: string
  readonly position?: number
  readonly surface?: 'home' | 'related'
  /** How long the user looked, milliseconds. */
  readonly dwellMs?: number
  /** For `save` and `unsave`: the board. */
  readonly boardId?: string
  /** How much the event counts in counters, from 0.001 to 1; absent: 1. */
  readonly weight?: number
}

/** What a user follows. */
export type Followed = { readonly boardId: string } | { readonly creatorId: string } | { readonly topicId: string }

/** What a user blocks. With a word: pins with it in their title or description. */
export type Blocked = Followed | { readonly word: string }

/** A call for each action. Each resolves to the event's id when the event is safe: in storage, or answered by the server. None rejects. */
export type ActionCalls = {
  readonly [A in Exclude<Action, OtherAction>]: (pin: string | ShownPin, details?: Details) => Promise<string>
} & {
  readonly [A in 'follow' | 'unfollow']: (subject: Followed, details?: Omit<Details, 'boardId'>) => Promise<string>
} & { readonly [A in 'block' | 'unblock']: (subject: Blocked, details?: Omit<Details, 'boardId'>) => Promise<string> }

/** An action of a user. */
export interface EngagementInput extends Details {
  readonly action: Action
  /** The subject: a pin; for `follow`, `unfollow`, `block` and `unblock` a board, creator or topic instead; a word can be blocked too. */
  readonly pinId?: string
  readonly creatorId?: string
  readonly topicId?: string
  readonly word?: string
}

/** An engagement as sent, the same on every attempt. */
export interface TrackedEngagement extends Omit<EngagementInput, 'occurredAtMs'> {
  readonly eventId: string
  readonly userId: string
  /** RFC 3339 with milliseconds. */
  readonly occurredAt: string
}
