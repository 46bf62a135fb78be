import { counted, halfLifeNames, type Counters } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import { newestFirst } from '@freshet/domain/features/recent-actions'
import { relationKinds } from '@freshet/domain/features/relation-kinds'
import { sessionCount } from '@freshet/domain/features/sessions'
import type { UserState } from '@freshet/domain/user-state'

/** The most recent actions that the JSON shows. */
const shownActions = 50

/** A user's state as JSON for people: times in words, counters as of `atMs`, without withdrawn relations. `titles`: of boards that have one, by id. */
export function userJson(
  userId: string,
  state: UserState,
  atMs: number,
  titles: ReadonlyMap<string, string> = new Map(),
): Readonly<Record<string, unknown>> {
  const { recent, boards, seen, sessions } = state
  const standing = [...state.relations.newest.values()].filter(({ stands }) => stands)
  const last = sessions.endMs.length - 1
  return {
    userId,
    asOf: isoTime(atMs),
    firstAt: isoTime(state.firstAtMs),
    lastAt: isoTime(state.lastAtMs),
    counts: countsJson(state.counters, atMs),
    relations: Object.fromEntries(
      relationKinds.flatMap((kind) => {
        const of = standing.filter((relation) => relation.kind === kind)
        return of.length === 0 ? [] : [[kind, of.map(({ id, atMs: since }) => ({ id, since: isoTime(since) }))]]
      }),
    ),
    // Older relations are kept by hash only: report how many of each kind are in effect.
    olderRelations: Object.fromEntries(
      state.relations.older.map(({ kind, stands }) => [kind, stands.reduce((sum, one) => sum + one, 0)]),
    ),
    boards: boards.boardIds.map((boardId, row) => ({
      boardId,
      ...(titles.has(boardId) && { title: titles.get(boardId) }),
      weight: rounded(boards.weights[row] ?? 0),
      at: isoTime(boards.atMs[row] ?? 0),
    })),
    recentActions: newestFirst(recent, shownActions).map((action) =>
      Object.fromEntries(
        Object.entries({ ...action, at: isoTime(action.atMs), atMs: null }).filter(([, value]) => value !== null),
      ),
    ),
    recentActionsKept: recent.pinIds.length,
    seen: {
      pinsWithTime: seen.pins.length,
      olderPins: seen.older.reduce((sum, { fingerprints }) => sum + fingerprints.length, 0),
    },
    sessions: {
      count: sessionCount(sessions),
      ...(last < 0
        ? {}
        : { last: { start: isoTime(sessions.startMs[last] ?? 0), end: isoTime(sessions.endMs[last] ?? 0) } }),
    },
  }
}

/** Counters of the actions that the user ever took, by action and half-life. */
export function countsJson(
  counters: Counters,
  atMs: number,
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  return Object.fromEntries(
    actions.flatMap((action, row) => {
      if (counted(counters, row, 'total', atMs) === 0) return []
      const values = halfLifeNames.map(
        (halfLife) => [halfLife, rounded(counted(counters, row, halfLife, atMs))] as const,
      )
      return [[action, Object.fromEntries(values)] as const]
    }),
  )
}

/** RFC 3339. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
