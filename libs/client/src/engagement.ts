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

/** An action of a user, as pages and apps report it. */
export interface EngagementInput {
  /** Absent: the client creates one. Give one if the same event may be tracked twice. */
  readonly eventId?: string
  readonly userId: string
  readonly sessionId?: string
  readonly action: Action
  /** The subject: a pin; for `follow`, `unfollow`, `block` and `unblock` a board, creator or topic instead; a word can be blocked too. */
  readonly pinId?: string
  /** For `save` and `unsave`: the board. */
  readonly boardId?: string
  readonly creatorId?: string
  readonly topicId?: string
  /** For `block` and `unblock`: a word. The user gets no pins with it in their title or description. */
  readonly word?: string
  /** Absent: now. Milliseconds since the epoch by the client's clock; the server corrects errors of that clock. */
  readonly occurredAtMs?: number
  /** The id of the feed that showed the pin, from `getFeed`. */
  readonly feedId?: string
  /** The position in that feed, 0 = first. */
  readonly position?: number
  readonly surface?: 'home' | 'related'
  /** Dwell time, milliseconds. */
  readonly dwellMs?: number
}

/** An engagement as sent, the same on every attempt. */
export interface TrackedEngagement extends Omit<EngagementInput, 'occurredAtMs'> {
  readonly eventId: string
  /** RFC 3339 with milliseconds. */
  readonly occurredAt: string
}

/** Adds id and time to an engagement for sending. */
export function trackedEngagement(input: EngagementInput, nowMs: number, newEventId: () => string): TrackedEngagement {
  const { occurredAtMs, ...others } = input
  return {
    ...others,
    eventId: input.eventId ?? newEventId(),
    occurredAt: new Date(occurredAtMs ?? nowMs).toISOString(),
  }
}
