import type { PinAct } from '../engagement.ts'
import { scalarOver, type Feature } from './feature.ts'

/** The boards that a pin was last saved to: last-writer-wins registers, oldest change first. */
export interface PinBoards {
  readonly boardIds: readonly string[]
  readonly atMs: Float64Array
  /** 1: on the board, 0: taken off. */
  readonly stands: Uint8Array
}

/** The boards of a pin that is on none. */
export const onNoBoards: PinBoards = { boardIds: [], atMs: new Float64Array(0), stands: new Uint8Array(0) }

/** The boards it is on, latest save last. */
export function boardsOf(boards: PinBoards): readonly string[] {
  return boards.boardIds.filter((_, row) => boards.stands[row] === 1)
}

/** Applies a save or an unsave that names a board. The later one wins; at a tie the save wins. Keeps the latest `maxBoards` changes, so order does not matter. */
export function foldPinBoard(
  boards: PinBoards,
  engagement: Pick<PinAct, 'action' | 'boardId' | 'occurredAtMs'>,
  maxBoards: number,
): PinBoards {
  const { action, boardId, occurredAtMs } = engagement
  if (boardId === null || (action !== 'save' && action !== 'unsave')) return boards
  const stands = action === 'save' ? 1 : 0
  const rows = boards.boardIds.map((id, row) => ({ id, atMs: boards.atMs[row] ?? 0, stands: boards.stands[row] ?? 0 }))
  const known = rows.findIndex(({ id }) => id === boardId)
  if (known >= 0) {
    const before = rows[known]
    if (
      before !== undefined &&
      (before.atMs > occurredAtMs || (before.atMs === occurredAtMs && before.stands >= stands))
    )
      return boards
    rows.splice(known, 1)
  }
  rows.push({ id: boardId, atMs: occurredAtMs, stands })
  rows.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1))
  const kept = rows.slice(Math.max(0, rows.length - maxBoards))
  return {
    boardIds: kept.map(({ id }) => id),
    atMs: Float64Array.from(kept, (row) => row.atMs),
    stands: Uint8Array.from(kept, (row) => row.stands),
  }
}

/** What these features read of a page. */
interface PinBoardPage {
  readonly pins: readonly ({ readonly boards: number } | null)[]
}

const scalar = scalarOver<PinBoardPage>()

/** The number of kept boards that the pin is on. */
export const pinBoardFeatures: readonly Feature<PinBoardPage>[] = [
  scalar({
    name: 'pin_boards',
    unit: 'boards',
    missing: 0,
    needs: ['pin'],
    column: ({ pins }, out) => {
      for (let row = 0; row < pins.length; row++) out[row] = pins[row]?.boards ?? NaN
    },
  }),
]
