import { actions, surfaces, type Action, type Engagement, type Surface } from '../engagement.ts'
import { hours, scalar, type Feature } from './feature.ts'

/**
 * The user's last actions on pins, oldest first, as columns. Impressions are not among them (they are in `seen`): a page
 * of them would push out what says something about taste.
 */
export interface RecentActions {
  readonly pinIds: readonly string[]
  /** Indices in `actions`. */
  readonly actions: Uint8Array
  readonly atMs: Float64Array
  /** The board of a save or unsave; '': none. */
  readonly boardIds: readonly string[]
  /** 0: not known, else the index in `surfaces` plus one. */
  readonly surfaces: Uint8Array
  /** 0: not known. */
  readonly dwellMs: Uint32Array
  /** The client's session; '': none given. */
  readonly sessionIds: readonly string[]
}

/** One row, for readers that want words instead of columns. */
export interface RecentAction {
  readonly pinId: string
  readonly action: Action
  readonly atMs: number
  readonly boardId: string | null
  readonly surface: Surface | null
  readonly dwellMs: number | null
  readonly sessionId: string | null
}

/** No actions yet. */
export const noRecentActions: RecentActions = {
  pinIds: [],
  actions: new Uint8Array(0),
  atMs: new Float64Array(0),
  boardIds: [],
  surfaces: new Uint8Array(0),
  dwellMs: new Uint32Array(0),
  sessionIds: [],
}

/** The rows, newest first, at most `limit`. */
export function newestFirst(recent: RecentActions, limit = Number.POSITIVE_INFINITY): readonly RecentAction[] {
  const rows: RecentAction[] = []
  for (let row = recent.pinIds.length - 1; row >= 0 && rows.length < limit; row--) {
    rows.push({
      pinId: recent.pinIds[row] ?? '',
      action: actions[recent.actions[row] ?? 0] ?? 'impression',
      atMs: recent.atMs[row] ?? 0,
      boardId: recent.boardIds[row] || null,
      surface: surfaces[(recent.surfaces[row] ?? 0) - 1] ?? null,
      dwellMs: recent.dwellMs[row] || null,
      sessionId: recent.sessionIds[row] || null,
    })
  }
  return rows
}

/** Whether an engagement becomes a row. */
export function isRecentAction(engagement: Engagement): boolean {
  return engagement.subject.kind === 'pin' && engagement.action !== 'impression'
}

/**
 * Merges engagements into the rows and keeps the newest `maxRows`. Rows are ordered by time, then by what they say, so
 * the result does not depend on the order of delivery: it is the top of a set.
 */
export function foldRecentActions(
  recent: RecentActions,
  engagements: readonly Engagement[],
  maxRows: number,
): RecentActions {
  const added = engagements.filter(isRecentAction)
  if (added.length === 0) return recent
  const rows = recent.pinIds.map((pinId, row): Row => ({
    pinId,
    action: recent.actions[row] ?? 0,
    atMs: recent.atMs[row] ?? 0,
    boardId: recent.boardIds[row] ?? '',
    surface: recent.surfaces[row] ?? 0,
    dwellMs: recent.dwellMs[row] ?? 0,
    sessionId: recent.sessionIds[row] ?? '',
  }))
  for (const engagement of added) insert(rows, rowOf(engagement))
  const kept = rows.length > maxRows ? rows.slice(rows.length - maxRows) : rows
  return {
    pinIds: kept.map((row) => row.pinId),
    actions: Uint8Array.from(kept, (row) => row.action),
    atMs: Float64Array.from(kept, (row) => row.atMs),
    boardIds: kept.map((row) => row.boardId),
    surfaces: Uint8Array.from(kept, (row) => row.surface),
    dwellMs: Uint32Array.from(kept, (row) => row.dwellMs),
    sessionIds: kept.map((row) => row.sessionId),
  }
}

interface Row {
  readonly pinId: string
  readonly action: number
  readonly atMs: number
  readonly boardId: string
  readonly surface: number
  readonly dwellMs: number
  readonly sessionId: string
}

function rowOf({ subject, action, occurredAtMs, boardId, shown, dwellMs, sessionId }: Engagement): Row {
  return {
    pinId: subject.kind === 'pin' ? subject.pinId : '',
    action: actions.indexOf(action),
    atMs: occurredAtMs,
    boardId: boardId ?? '',
    surface: shown.surface === null ? 0 : surfaces.indexOf(shown.surface) + 1,
    dwellMs: Math.min(Math.max(0, Math.round(dwellMs ?? 0)), 0xffffffff),
    sessionId: sessionId ?? '',
  }
}

function insert(rows: Row[], row: Row): void {
  let at = rows.length
  while (at > 0 && isBefore(row, rows[at - 1] ?? row)) at--
  rows.splice(at, 0, row)
}

function isBefore(a: Row, b: Row): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  if (a.action !== b.action) return a.action < b.action
  if (a.pinId !== b.pinId) return a.pinId < b.pinId
  if (a.boardId !== b.boardId) return a.boardId < b.boardId
  if (a.surface !== b.surface) return a.surface < b.surface
  if (a.dwellMs !== b.dwellMs) return a.dwellMs < b.dwellMs
  return a.sessionId < b.sessionId
}

/** Whether the user acted on this very pin, and how recently: 1 just now, 0 not among the last actions. */
export const recentActionFeatures: readonly Feature[] = [
  scalar({
    name: 'pin_acted_recency',
    unit: '1 / (1 + hours)',
    missing: 0,
    needs: ['user'],
    value: ({ user: { recent }, pinId, atMs }) => {
      const row = recent.pinIds.lastIndexOf(pinId)
      return row < 0 ? 0 : 1 / (1 + hours(atMs - (recent.atMs[row] ?? 0)))
    },
  }),
]
