/** What a user can do. */
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

/** What a user did, as pages and apps say it. */
export interface EngagementInput {
  /** Made by the client where it is absent; give one where the same event may be tracked twice. */
  readonly eventId?: string
  readonly userId: string
  readonly sessionId?: string
  readonly action: Action
  /** What it is about: a pin; of `follow`, `unfollow`, `block` and `unblock` a board, creator or topic instead. */
  readonly pinId?: string
  /** Of `save` and `unsave`: the board. */
  readonly boardId?: string
  readonly creatorId?: string
  readonly topicId?: string
  /** Absent: now. Milliseconds since the epoch by the client's clock; the server corrects for that clock. */
  readonly occurredAtMs?: number
  /** The feed in which the pin was shown, as `getFeed` named it. */
  readonly feedId?: string
  /** The position in that feed, 0 = first. */
  readonly position?: number
  readonly surface?: 'home' | 'related'
  /** How long the user looked, milliseconds. */
  readonly dwellMs?: number
}

/** An engagement as it goes over the wire, the same on every attempt. */
export interface TrackedEngagement extends Omit<EngagementInput, 'occurredAtMs'> {
  readonly eventId: string
  /** RFC 3339 with milliseconds. */
  readonly occurredAt: string
}

/** The engagement as it is sent: with its id and its time. */
export function trackedEngagement(input: EngagementInput, nowMs: number, newEventId: () => string): TrackedEngagement {
  const { occurredAtMs, ...others } = input
  return {
    ...others,
    eventId: input.eventId ?? newEventId(),
    occurredAt: new Date(occurredAtMs ?? nowMs).toISOString(),
  }
}
