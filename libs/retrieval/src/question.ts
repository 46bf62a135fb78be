import type { Action } from '@freshet/domain/engagement'
import type { BoardId, CreatorId, PinId, SessionId, TopicId, UserId } from '@freshet/domain/ids'

/** One entry of the user's own history, as the user state holds it. */
export interface RecentAction {
  readonly pinId: PinId
  readonly action: Action
  readonly occurredAtMs: number
  readonly sessionId: SessionId | null
  readonly boardId: BoardId | null
  /** How long the user looked, milliseconds; null or absent: not known. */
  readonly dwellMs?: number | null
}

/** The pins a user was shown, by hashes of their ids; searches skip them. Columns of a pair have equal length. */
export interface ShownPins {
  /** `hash32` of the pins that the user saw or acted on last, and when, seconds since the epoch. */
  readonly seen: Uint32Array
  readonly seenAtSeconds: Uint32Array
  /** Fingerprints of `filterBits` bits of the pins seen in each older period, the oldest period first. */
  readonly seenBefore: readonly Uint32Array[]
  /** The lower halves of the keys of recently served pins, and when they were served, seconds since the epoch. */
  readonly served: Uint32Array
  readonly servedAtSeconds: Uint32Array
}

/** A picture to search with: its embedding, or the pin that has it. */
export type ImageQuestion = { readonly embedding: Float32Array } | { readonly pinId: PinId }

/** What a request restricts its pins to. A pin must meet every part that is given; empty lists and null: any. */
export interface PinFilter {
  readonly topics: readonly TopicId[]
  readonly creators: readonly CreatorId[]
  /** Boards to which somebody saved the pin. */
  readonly boards: readonly BoardId[]
  /** The pin was published at this time or later, milliseconds since the epoch. */
  readonly createdFromMs: number | null
}

/** A request for candidates. Absent lists are empty. */
export interface RetrieveQuery {
  readonly surface: 'home' | 'related'
  /** The time of the request, milliseconds since the epoch. */
  readonly atMs: number
  readonly userId: UserId | null
  /** The session of the request. If absent, the session of the user's last action, or the one that the gap rule gives. */
  readonly sessionId?: SessionId | null
  /** The pin whose related pins the request wants; null on the home feed. */
  readonly pinId?: PinId | null
  /** The user's own recent actions, any action, oldest first. */
  readonly recent?: readonly RecentAction[]
  /** Pins that must not be in the answer. */
  readonly exclude?: readonly PinId[]
  /** More such pins, by `hash32` of their ids, ascending. A hash collision may exclude another pin. */
  readonly excludeHashes?: Uint32Array
  readonly excludeCreators?: readonly CreatorId[]
  readonly excludeTopics?: readonly TopicId[]
  /** More of both, by `hash32` of their ids. */
  readonly excludeCreatorHashes?: Uint32Array
  readonly excludeTopicHashes?: Uint32Array
  /** Pins the user was shown; they come again only if `fillTo` needs them and nothing else is left. */
  readonly shown?: ShownPins | null
  /** The least number of candidates: a sweep of the catalogue adds what the sources do not find. Default 0. */
  readonly fillTo?: number
  /** Where that sweep continues: the `sweptTo` of the user's last answer. */
  readonly sweptTo?: number
  /** Answer from these pins only. */
  readonly among?: readonly PinId[] | null
  /** Answer only with pins that it accepts. */
  readonly filter?: PinFilter | null
  readonly locale?: string | null
  readonly followedCreators?: readonly CreatorId[]
  readonly followedTopics?: readonly TopicId[]
  readonly followedBoards?: readonly BoardId[]
  /** The most candidates to return. */
  readonly limit: number
  /** Time for all sources together, milliseconds: later sources are skipped and a running one breaks off. Each source also has its own deadline. */
  readonly deadlineMs?: number | null
  /** Find the pins whose pictures look like this one, with no source; absent or null: an ordinary request. */
  readonly image?: ImageQuestion | null
  /** Query only these sources, and sweep only if they contain `catalogueSweep`; if absent, all enabled ones and the sweep. Other names are ignored. */
  readonly sources?: readonly string[] | null
}

/** The candidates that one source found, with their scores and ranks (from 1) in it. Columns of equal length, best first. */
export interface SourceCandidates {
  readonly name: string
  readonly candidates: Int32Array
  readonly scores: Float32Array
  readonly ranks: Int32Array
}

/** Candidates in columns, best merged score first, and what each source found. */
export interface RetrievedCandidates {
  readonly pinIds: readonly PinId[]
  readonly scores: Float32Array
  readonly sources: readonly SourceCandidates[]
  /** Sources that were skipped because the request had already taken too long. */
  readonly skipped: readonly string[]
  /** Sources that broke off at a deadline; the candidates include what they had found by then. */
  readonly interrupted: readonly string[]
  /** Sources that read the neighbour index while a shard's part was missing; the candidates include what the other shards hold. */
  readonly incomplete: readonly string[]
  /** By name of a source: indices in `RetrieveQuery.recent` of the actions that it started from, see `seedsOf`. */
  readonly seeds: ReadonlyMap<string, Uint16Array>
  /** How long each queried source took, milliseconds; empty without a clock. */
  readonly times: readonly { readonly name: string; readonly ms: number }[]
  /** Where the user's next sweep continues. */
  readonly sweptTo: number
  /** Whether no pin that the user was not shown is left beside this answer; only a sweep finds that out, else it is false. */
  readonly exhausted: boolean
  /** How many of the last candidates were shown before; the one shown longest ago comes first. */
  readonly shownBefore: number
}
