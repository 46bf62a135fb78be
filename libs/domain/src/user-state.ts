import { noCounters, type Counters } from './decay.ts'
import { actions, type Act } from './engagement.ts'
import { foldActions } from './features/action-counts.ts'
import { foldBoard, noBoards, type BoardAffinity } from './features/board-affinity.ts'
import { noMerges, type Merges } from './features/merges.ts'
import { foldRecentActions, noRecentActions, type RecentActions } from './features/recent-actions.ts'
import type { Relation } from './features/relation-kinds.ts'
import { foldRelations, noRelations, relationOf, type RelationLimits, type Relations } from './features/relations.ts'
import { foldSeen, nothingSeen, type Seen, type SeenLimits, type Sight } from './features/seen.ts'
import { foldSession, noSessions, type SessionLimits, type Sessions } from './features/sessions.ts'

/** The state of a user: one value of the state store under the user id. The functions of each part's file in `features/` read it. */
export interface UserState {
  /** Event time of the first and of the last engagement folded. */
  readonly firstAtMs: number
  readonly lastAtMs: number
  readonly recent: RecentActions
  /** One row per action, in the order of `actions`. */
  readonly counters: Counters
  readonly relations: Relations
  readonly boards: BoardAffinity
  readonly seen: Seen
  readonly sessions: Sessions
  readonly merges: Merges
}

/** Caps of a user's state. */
export interface UserLimits extends RelationLimits {
  readonly maxRecentActions: number
  readonly maxBoards: number
  readonly seen: SeenLimits
  readonly sessions: SessionLimits
}

/** Caps unless configured. A typical active user takes 4.7 KB, a heavy one 11.1 KB, with ids of a word and a number; with UUIDs a typical one takes 7.6 KB (`test/benchmarks/updater.ts`); bytes appended since come on top. */
export const defaultUserLimits: UserLimits = {
  maxRecentActions: 200,
  maxRelationsPerKind: 1000,
  maxOlderRelations: 100_000,
  maxBoards: 32,
  seen: { maxRecent: 320, generationMs: 604_800_000, maxPerGeneration: 1500 },
  sessions: { gapMs: 1_800_000, maxKept: 24 },
}

/** The state of an unknown user. */
export const newUserState: UserState = {
  firstAtMs: 0,
  lastAtMs: 0,
  recent: noRecentActions,
  counters: noCounters(actions.length),
  relations: noRelations,
  boards: noBoards,
  seen: nothingSeen,
  sessions: noSessions,
  merges: noMerges,
}

/**
 * A user's state after more engagements, in the order of the log. Pure. However the engagements are split into calls,
 * the bytes of the result are the same. Their order does not matter either, except for rounding and where a part's file
 * says so: an event of years ago counts as it would have counted then.
 */
export function foldUser(
  state: UserState,
  engagements: readonly Act[],
  limits: UserLimits = defaultUserLimits,
): UserState {
  let { firstAtMs, lastAtMs, boards, sessions } = state
  const changes: Relation[] = []
  const sights: Sight[] = []
  for (const engagement of engagements) {
    const { occurredAtMs, subject } = engagement
    firstAtMs = firstAtMs === 0 ? occurredAtMs : Math.min(firstAtMs, occurredAtMs)
    lastAtMs = Math.max(lastAtMs, occurredAtMs)
    if (subject.kind === 'pin') sights.push({ pinId: subject.pinId, atMs: occurredAtMs })
    const change = relationOf(engagement)
    if (change !== null) changes.push(change)
    boards = foldBoard(boards, engagement, limits.maxBoards)
    sessions = foldSession(sessions, occurredAtMs, limits.sessions)
  }
  const relations = foldRelations(state.relations, changes, limits)
  const counters = foldActions(state.counters, engagements)
  const seen = foldSeen(state.seen, sights, limits.seen)
  const recent = foldRecentActions(state.recent, engagements, limits.maxRecentActions)
  return { firstAtMs, lastAtMs, recent, counters, relations, boards, seen, sessions, merges: state.merges }
}
