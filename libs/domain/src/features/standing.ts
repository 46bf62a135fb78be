import { positiveActions, type Action } from '../engagement.ts'

/** Rows of what a user did to pins, oldest first. */
export interface ActedRows {
  readonly count: number
  action(row: number): Action
  pinId(row: number): string
  /** The board of a save or unsave; '': none given. */
  boardId(row: number): string
}

interface OfPin {
  /** Rows that say the user likes the pin, of saves with their boards. */
  likes: { readonly row: number; readonly boardId: string | null }[]
  /** The row that took the likes back; -1: none did. */
  against: number
  hidden: number
  reported: number
}

/** Actions that take back, or are taken back. */
const takingBack: readonly Action[] = ['unsave', 'dismiss', 'hide', 'report']

/**
 * Which actions on pins still stand, for or against them: 1, or 0 where one was taken back or says nothing.
 *
 * An unsave takes back the saves to its board; it takes back all that was liked about the pin before it, and stands against
 * it, where no save is left. A dismissal does so in any case. A hide or report stands until it is withdrawn, and while it
 * does nothing that was liked about the pin stands. What was taken back and is liked again afterwards is liked.
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
