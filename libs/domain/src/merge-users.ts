import { mergeCounters, noCounters } from './decay.ts'
import { mergeBoards, noBoards } from './features/board-affinity.ts'
import { mergeRecentActions, noRecentActions } from './features/recent-actions.ts'
import { mergeRelations } from './features/relations.ts'
import { mergeSeen } from './features/seen.ts'
import { mergeSessions, noSessions } from './features/sessions.ts'
import { actions } from './engagement.ts'
import { withMergedFrom } from './features/merges.ts'
import type { UserLimits, UserState } from './user-state.ts'

/** Caps of a merged state. */
export interface MergeLimits extends UserLimits {
  /** The state keeps the ids of at most this many users that were merged into it. */
  readonly maxMergedFrom: number
}

/**
 * The state of a user to whom the state of another was added: up to rounding the state that all engagements of both lead to.
 * It is that state exactly while nothing exceeds its cap. Beyond a cap, relations that are known by hash only stay known by hash,
 * a full generation of seen pins keeps what it has, and a session that both users had counts twice once it has no times.
 */
export function mergeUsers(into: UserState, from: UserState, limits: MergeLimits): UserState {
  return {
    firstAtMs:
      into.firstAtMs === 0 || from.firstAtMs === 0
        ? into.firstAtMs + from.firstAtMs
        : Math.min(into.firstAtMs, from.firstAtMs),
    lastAtMs: Math.max(into.lastAtMs, from.lastAtMs),
    recent: mergeRecentActions(into.recent, from.recent, limits.maxRecentActions),
    counters: mergeCounters(into.counters, from.counters),
    relations: mergeRelations(into.relations, from.relations, limits),
    boards: mergeBoards(into.boards, from.boards, limits.maxBoards),
    seen: mergeSeen(into.seen, from.seen, limits.seen),
    sessions: mergeSessions(into.sessions, from.sessions, limits.sessions),
    merges: withMergedFrom(into.merges, from.merges.from, limits.maxMergedFrom),
  }
}

/**
 * What a user keeps whose state was handed over: relations and seen pins, because a device that still uses the id must not
 * show what was hidden, and because handing them over again changes nothing. Everything that counts is gone: it must not
 * be handed over twice.
 */
export function afterHandover(state: UserState): UserState {
  return {
    ...state,
    recent: noRecentActions,
    counters: noCounters(actions.length),
    boards: noBoards,
    sessions: noSessions,
  }
}

/** The time since when the state holds anything about the user, milliseconds since the epoch. */
export function heldSinceMs({ firstAtMs, merges }: UserState): number {
  return firstAtMs === 0 ? (merges.into?.atMs ?? 0) : firstAtMs
}
