import type { Action } from '@freshet/domain/engagement'
import type { BoardId, CreatorId, PinId, SessionId, TopicId, UserId } from '@freshet/domain/ids'

/** Of what a user did: one entry of the user's own history, as the user state holds it. */
export interface RecentAction {
  readonly pinId: PinId
  readonly action: Action
  readonly occurredAtMs: number
  readonly sessionId: SessionId | null
  readonly boardId: BoardId | null
}

/** The pins a user was shown, by hashes of their ids: what searches pass over. Columns side by side are of equal length. */
export interface ShownPins {
  /** `hash32` of the pins that the user saw or acted on last, and when, seconds since the epoch. */
  readonly seen: Uint32Array
  readonly seenAtSeconds: Uint32Array
  /** Fingerprints of `filterBits` bits of what was seen in each older generation of time, the oldest first. */
  readonly seenBefore: readonly Uint32Array[]
  /** The lower halves of the keys of the pins that were served lately, and when, seconds since the epoch. */
  readonly served: Uint32Array
  readonly servedAtSeconds: Uint32Array
}

/** A request for candidates. Absent lists are empty. */
export interface RetrieveQuery {
  readonly surface: 'home' | 'related'
  /** The time of asking, milliseconds. */
  readonly atMs: number
  readonly userId: UserId | null
  /** The session the request is of; without it, the session of the user's last action, or what the gap rule says. */
  readonly sessionId?: SessionId | null
  /** The pin that related pins are asked for; null on the home feed. */
  readonly pinId?: PinId | null
  /** The user's own recent actions, any action, oldest first. */
  readonly recent?: readonly RecentAction[]
  /** Pins that must not be in the answer. */
  readonly exclude?: readonly PinId[]
  /** More of them by `hash32` of their ids, ascending: about as many others are left out as chance wants. */
  readonly excludeHashes?: Uint32Array
  readonly excludeCreators?: readonly CreatorId[]
  readonly excludeTopics?: readonly TopicId[]
  /** More of them by `hash32` of their ids. */
  readonly excludeCreatorHashes?: Uint32Array
  readonly excludeTopicHashes?: Uint32Array
  /** Pins that may only come again where nothing else is left, and `fillTo` asks for them. */
  readonly shown?: ShownPins | null
  /** At least so many candidates, where there are: those that the sources do not find a sweep of the catalogue finds. 0 where absent. */
  readonly fillTo?: number
  /** Where that sweep goes on: the `sweptTo` of the user's answer before. */
  readonly sweptTo?: number
  /** Answer from these pins only. */
  readonly among?: readonly PinId[] | null
  readonly locale?: string | null
  readonly followedCreators?: readonly CreatorId[]
  readonly followedTopics?: readonly TopicId[]
  readonly followedBoards?: readonly BoardId[]
  /** The most candidates wanted. */
  readonly limit: number
  /** Sources whose turn comes later than this after the start are left out, one that is under way breaks off, milliseconds; beside each one's own. */
  readonly deadlineMs?: number | null
  /** Ask these sources only; all enabled ones where absent. A name that is no enabled source is ignored. */
  readonly sources?: readonly string[] | null
}

/** What one source gave: which of the answer's candidates, their scores and ranks (from 1) in it. Columns of equal length, best first. */
export interface SourceCandidates {
  readonly name: string
  readonly candidates: Int32Array
  readonly scores: Float32Array
  readonly ranks: Int32Array
}

/** Candidates in columns, best merged score first, and for each source which of them it found. */
export interface RetrievedCandidates {
  readonly pinIds: readonly PinId[]
  readonly scores: Float32Array
  readonly sources: readonly SourceCandidates[]
  /** Sources that were left out because the request had already taken too long. */
  readonly skipped: readonly string[]
  /** Sources that broke off because it took too long; what they had found by then is among the candidates. */
  readonly interrupted: readonly string[]
  /** Sources that read trails of which a shard gave nothing; what the others hold is among the candidates. */
  readonly incomplete: readonly string[]
  /** How long each source that was asked took, milliseconds; none where there is no clock. */
  readonly times: readonly { readonly name: string; readonly ms: number }[]
  /** Where the user's next sweep begins. */
  readonly sweptTo: number
  /** Whether nothing that was not shown is left in the whole catalogue; only told where a sweep had to look. */
  readonly exhausted: boolean
  /** How many candidates, the last ones, were shown before: longest ago first. */
  readonly shownBefore: number
}
