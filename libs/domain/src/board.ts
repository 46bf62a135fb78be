import type { BoardId } from './ids.ts'

/** What the catalogue says about a board. */
export interface Board {
  readonly boardId: BoardId
  /** The board links no pins for anybody. */
  readonly isSecret: boolean
}

/** A change of a board: the new entry, or the removal. `version`: see `nextPinStamp`; absent: none given. */
export type BoardChange =
  | { readonly kind: 'upsert'; readonly board: Board; readonly version?: number }
  | { readonly kind: 'delete'; readonly boardId: BoardId; readonly version?: number }

/** Whether the board must link no pins. */
export function closesBoard(change: BoardChange): boolean {
  return change.kind === 'delete' || change.board.isSecret
}
