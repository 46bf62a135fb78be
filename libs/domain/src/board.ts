import type { BoardId, UserId } from './ids.ts'

/** What the catalogue says about a board. */
export interface Board {
  readonly boardId: BoardId
  /** The board links no pins for anybody. */
  readonly isSecret: boolean
  /** The title that pages show; empty: not known. */
  readonly title: string
  /** The user who owns it, by the stored id; null: not known. */
  readonly ownerId: UserId | null
}

/** The longest title, in characters. */
export const maxBoardTitleCharacters = 200

/** A change of a board: the new entry, or the removal. `version`: see `nextPinStamp`; absent: none given. */
export type BoardChange =
  | { readonly kind: 'upsert'; readonly board: Board; readonly version?: number }
  | { readonly kind: 'delete'; readonly boardId: BoardId; readonly version?: number }

/** The change without owner and title, as it stays when the owner was erased. */
export function withoutOwner(change: BoardChange): BoardChange {
  return change.kind === 'delete' ? change : { ...change, board: { ...change.board, title: '', ownerId: null } }
}

/** Whether the board must link no pins. */
export function closesBoard(change: BoardChange): boolean {
  return change.kind === 'delete' || change.board.isSecret
}
