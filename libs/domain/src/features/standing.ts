import { positiveActions, type Action } from '../engagement.ts'

/** Rows of a user's actions on pins, oldest first. */
export interface ActedRows {
  readonly count: number
  action(row: number): Action
  pinId(row: number): string
  /** The board of a save or unsave; '': none given. */
  boardId(row: number): string
}

interface OfPin {
  /** Rows that show that the user likes the pin; saves with their boards. */
  likes: { readonly row: number; readonly boardId: string | null }[]
  /** The row that undid the likes; -1: none. */
  against: number
  hidden: number
  reported: number
}

/** Actions that undo others, or can be undone. */
const takingBack: readonly Action[] = ['unsave', 'dismiss', 'hide', 'report']

/**
 * Which actions on pins are in effect, for or against the pin: 1; or 0 if an action was undone or expresses nothing.
 *
 * An unsave undoes the saves to its board. If no save is left, it undoes all earlier likes of the pin and counts against
 * the pin. A dismissal always does both. A hide or report is in effect until it is withdrawn; during that time
 * no like of the pin is in effect. A pin that is liked again afterwards counts as liked.
 */
export function standingRows(rows: ActedRows): Uint8Array {
  const standing = new Uint8Array(rows.count)
  let isPlain = true
  for (let row = 0; row < rows.count; row++) {
    const action = rows.action(row)
    isPlain &&= !takingBack.includes(action)
    standing[row] = positiveActions.includes(action) ? 1 : 0
  }
  if (isPlain) return standing
  standing.fill(0)
  const pins = new Map<string, OfPin>()
  for (let row = 0; row < rows.count; row++) {
    const pinId = rows.pinId(row)
    let pin = pins.get(pinId)
    if (pin === undefined) {
      pin = { likes: [], against: -1, hidden: -1, reported: -1 }
      pins.set(pinId, pin)
    }
    take(pin, row, rows)
  }
  for (const { likes, against, hidden, reported } of pins.values()) {
    if (hidden >= 0) standing[hidden] = 1
    if (reported >= 0) standing[reported] = 1
    if (hidden >= 0 || reported >= 0) continue
    for (const { row } of likes) standing[row] = 1
    if (against >= 0) standing[against] = 1
  }
  return standing
}

function take(pin: OfPin, row: number, rows: ActedRows): void {
  const action = rows.action(row)
  if (positiveActions.includes(action)) {
    pin.likes.push({ row, boardId: action === 'save' ? rows.boardId(row) : null })
    pin.against = -1
  } else if (action === 'unsave') {
    const boardId = rows.boardId(row)
    const isTaken = (saved: string | null): boolean =>
      saved !== null && (saved === boardId || saved === '' || boardId === '')
    pin.likes = pin.likes.filter((like) => !isTaken(like.boardId))
    if (pin.likes.some((like) => like.boardId !== null)) return
    pin.likes = []
    pin.against = row
  } else if (action === 'dismiss') {
    pin.likes = []
    pin.against = row
  } else if (action === 'hide') pin.hidden = row
  else if (action === 'unhide') pin.hidden = -1
  else if (action === 'report') pin.reported = row
  else if (action === 'unreport') pin.reported = -1
}
