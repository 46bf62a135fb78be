import { actions } from '../engagement.ts'
import type { RecentActions } from './recent-actions.ts'
import { standingRows } from './standing.ts'

// A page reads one user's rows many times.
const standing = new WeakMap<RecentActions, Uint8Array>()

/** For each of a user's recent actions: 1 if it is in effect, 0 if it was undone or expresses nothing; see `standingRows`. */
export function standingOf(recent: RecentActions): Uint8Array {
  let rows = standing.get(recent)
  if (rows === undefined) {
    rows = standingRows({
      count: recent.pinIds.length,
      action: (row) => actions[recent.actions[row] ?? 0] ?? 'impression',
      pinId: (row) => recent.pinIds[row] ?? '',
      boardId: (row) => recent.boardIds[row] ?? '',
    })
    standing.set(recent, rows)
  }
  return rows
}
