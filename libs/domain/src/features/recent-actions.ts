import { actions, surfaces, type Action, type Act, type Surface } from '../engagement.ts'
import { hours, scalarOver, type Feature } from './feature.ts'

/**
 * The user's last actions on pins, oldest first, as columns. Impressions are not included (they are in `seen`): one page
 * of them would displace the actions that show the user's taste.
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
  /** Dwell time to a tenth of a second; 0: not known. */
  readonly dwellMs: Uint32Array
  /** The client's session, for the newest `sessionRows` rows only; '': none given, or an older row. */
  readonly sessionIds: readonly string[]
}

/** Resolution of dwell times, milliseconds: a tenth of a second. */
export const dwellResolutionMs = 100

/** The number of newest rows that keep the client's session: ids are long, and only the current session is read. */
const sessionRows = 50

/** One row with names instead of numbers. */
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
export function isRecentAction(engagement: Act): boolean {
  return engagement.subject.kind === 'pin' && engagement.action !== 'impression'
}

/**
 * Merges engagements into the rows and keeps the newest `maxRows`. Rows are ordered by time, then by what they say, so
 * the result does not depend on the order of delivery: it is the top of a set.
 */
export function foldRecentActions(recent: RecentActions, engagements: readonly Act[], maxRows: number): RecentActions {
  return withRows(recent, engagements.filter(isRecentAction).map(rowOf), maxRows)
}

/** The newest `maxRows` rows of both, in the order that folding gives them. */
export function mergeRecentActions(a: RecentActions, b: RecentActions, maxRows: number): RecentActions {
  return withRows(
    a,
    b.pinIds.map((_, at) => rowAt(b, at)),
    maxRows,
  )
}

function withRows(recent: RecentActions, added: readonly Row[], maxRows: number): RecentActions {
  if (added.length === 0) return recent
  const length = recent.pinIds.length + added.length
  const grown = {
    pinIds: [...recent.pinIds],
    actions: room(recent.actions, new Uint8Array(length)),
    atMs: room(recent.atMs, new Float64Array(length)),
    boardIds: [...recent.boardIds],
    sessionIds: [...recent.sessionIds],
    surfaces: room(recent.surfaces, new Uint8Array(length)),
    dwellMs: room(recent.dwellMs, new Uint32Array(length)),
  }
  for (const row of added) {
    const rows = grown.pinIds.length
    let at = rows
    while (at > 0 && isBefore(row, grown, at - 1)) at--
    grown.pinIds.splice(at, 0, row.pinId)
    grown.boardIds.splice(at, 0, row.boardId)
    grown.sessionIds.splice(at, 0, row.sessionId)
    for (const column of [grown.actions, grown.atMs, grown.surfaces, grown.dwellMs]) column.copyWithin(at + 1, at, rows)
    grown.actions[at] = row.action
    grown.atMs[at] = row.atMs
    grown.surfaces[at] = row.surface
    grown.dwellMs[at] = row.dwellMs
  }
  grown.sessionIds.fill('', 0, Math.max(0, length - sessionRows))
  const surplus = Math.max(0, length - maxRows)
  if (surplus === 0) return grown
  return {
    pinIds: grown.pinIds.slice(surplus),
    actions: grown.actions.slice(surplus),
    atMs: grown.atMs.slice(surplus),
    boardIds: grown.boardIds.slice(surplus),
    sessionIds: grown.sessionIds.slice(surplus),
    surfaces: grown.surfaces.slice(surplus),
    dwellMs: grown.dwellMs.slice(surplus),
  }
}

function room<Column extends Uint8Array | Uint32Array | Float64Array>(before: Column, larger: Column): Column {
  larger.set(before)
  return larger
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

function rowOf({ subject, action, occurredAtMs, boardId, shown, dwellMs, sessionId }: Act): Row {
  return {
    pinId: subject.kind === 'pin' ? subject.pinId : '',
    action: actions.indexOf(action),
    atMs: occurredAtMs,
    boardId: boardId ?? '',
    surface: shown.surface === null ? 0 : surfaces.indexOf(shown.surface) + 1,
    dwellMs: dwellOf(dwellMs),
    sessionId: sessionId ?? '',
  }
}

function rowAt(rows: RecentActions, at: number): Row {
  return {
    pinId: rows.pinIds[at] ?? '',
    action: rows.actions[at] ?? 0,
    atMs: rows.atMs[at] ?? 0,
    boardId: rows.boardIds[at] ?? '',
    surface: rows.surfaces[at] ?? 0,
    dwellMs: rows.dwellMs[at] ?? 0,
    sessionId: rows.sessionIds[at] ?? '',
  }
}

/** A known dwell time is at least one step, because 0 means not known. */
function dwellOf(dwellMs: number | null): number {
  if (dwellMs === null || !(dwellMs > 0)) return 0
  const steps = Math.max(1, Math.round(dwellMs / dwellResolutionMs))
  return Math.min(steps, Math.floor(0xffffffff / dwellResolutionMs)) * dwellResolutionMs
}

function isBefore(row: Row, rows: RecentActions, at: number): boolean {
  const order =
    row.atMs - (rows.atMs[at] ?? 0) ||
    row.action - (rows.actions[at] ?? 0) ||
    compare(row.pinId, rows.pinIds[at] ?? '') ||
    compare(row.boardId, rows.boardIds[at] ?? '') ||
    row.surface - (rows.surfaces[at] ?? 0) ||
    row.dwellMs - (rows.dwellMs[at] ?? 0) ||
    compare(row.sessionId, rows.sessionIds[at] ?? '')
  return order < 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// A page asks about hundreds of pins for one user: scan the rows once, not once per pin.
const lastActsOf = new WeakMap<RecentActions, ReadonlyMap<string, number>>()

/** The time of the last action on each pin. */
function lastActs(recent: RecentActions): ReadonlyMap<string, number> {
  let last = lastActsOf.get(recent)
  if (last === undefined) {
    last = new Map(recent.pinIds.map((pinId, row) => [pinId, recent.atMs[row] ?? 0]))
    lastActsOf.set(recent, last)
  }
  return last
}

/** What these features read of a page. */
interface RecentActionPage {
  readonly user: { readonly recent: RecentActions } | null
  readonly pinIds: readonly string[]
  readonly atMs: number
}

const scalar = scalarOver<RecentActionPage>()

/** How recently the user acted on this pin: 1 just now, 0 not among the last actions. */
export const recentActionFeatures: readonly Feature<RecentActionPage>[] = [
  scalar({
    name: 'pin_acted_recency',
    unit: '1 / (1 + hours)',
    missing: 0,
    needs: ['user'],
    column: ({ user: { recent }, pinIds, atMs }, out) => {
      const last = lastActs(recent)
      for (let row = 0; row < pinIds.length; row++) {
        const actedAtMs = last.get(pinIds[row]!)
        out[row] = actedAtMs === undefined ? 0 : 1 / (1 + hours(atMs - actedAtMs))
      }
    },
  }),
]
