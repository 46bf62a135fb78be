import { decay } from '../decay.ts'
import type { Act } from '../engagement.ts'

/** Half-life of a board's weight, milliseconds: 30 days. */
const boardHalfLifeMs = 2_592_000_000

/**
 * The boards a user saves to, weighted by decayed saves. The fold keeps boards because the save itself names them; topics
 * and creators only appear in the catalogue. What a fold took from the catalogue would depend on when it
 * arrived, so a replay would produce different bytes. `readInterests` derives them when reading, from the recent actions.
 */
export interface BoardAffinity {
  readonly boardIds: readonly string[]
  /** Each board's weight as of its own time. */
  readonly weights: Float64Array
  readonly atMs: Float64Array
}

/** No boards yet. */
export const noBoards: BoardAffinity = { boardIds: [], weights: new Float64Array(0), atMs: new Float64Array(0) }

/** A board's weight at a time: saves minus unsaves, decayed; never below 0. */
export function boardWeight(boards: BoardAffinity, boardId: string, atMs: number): number {
  const row = boards.boardIds.indexOf(boardId)
  return row < 0 ? 0 : Math.max(0, weightAt(boards, row, atMs))
}

/**
 * Adds a save (1) or an unsave (−1) of a board. Order-free up to rounding while the user has at most `maxBoards`; above,
 * the lightest board is dropped with its weight.
 */
export function foldBoard(boards: BoardAffinity, engagement: Act, maxBoards: number): BoardAffinity {
  const { action, boardId, occurredAtMs } = engagement
  if (boardId === null || (action !== 'save' && action !== 'unsave')) return boards
  return withWeight(boards, { boardId, weight: action === 'save' ? 1 : -1, atMs: occurredAtMs }, maxBoards)
}

/** The boards of both with their weights added. Above `maxBoards` the lightest are dropped. */
export function mergeBoards(a: BoardAffinity, b: BoardAffinity, maxBoards: number): BoardAffinity {
  return b.boardIds.reduce(
    (boards, boardId, row) =>
      withWeight(boards, { boardId, weight: b.weights[row] ?? 0, atMs: b.atMs[row] ?? 0 }, maxBoards),
    a,
  )
}

interface Weight {
  readonly boardId: string
  readonly weight: number
  readonly atMs: number
}

function withWeight(
  boards: BoardAffinity,
  { boardId, weight, atMs: occurredAtMs }: Weight,
  maxBoards: number,
): BoardAffinity {
  const row = boards.boardIds.indexOf(boardId)
  if (row >= 0) {
    const weights = boards.weights.slice()
    const atMs = boards.atMs.slice()
    const before = atMs[row] ?? 0
    const now = Math.max(before, occurredAtMs)
    weights[row] =
      (weights[row] ?? 0) * decay(now - before, boardHalfLifeMs) + weight * decay(now - occurredAtMs, boardHalfLifeMs)
    atMs[row] = now
    return { boardIds: boards.boardIds, weights, atMs }
  }
  const grown: BoardAffinity = {
    boardIds: [...boards.boardIds, boardId],
    weights: Float64Array.of(...boards.weights, weight),
    atMs: Float64Array.of(...boards.atMs, occurredAtMs),
  }
  return grown.boardIds.length > maxBoards ? without(grown, lightest(grown)) : grown
}

function lightest(boards: BoardAffinity): number {
  const at = boards.atMs.reduce((newest, time) => Math.max(newest, time), 0)
  let least = 0
  for (let row = 1; row < boards.boardIds.length; row++) {
    if (weightAt(boards, row, at) < weightAt(boards, least, at)) least = row
  }
  return least
}

function without(boards: BoardAffinity, row: number): BoardAffinity {
  return {
    boardIds: boards.boardIds.filter((_, other) => other !== row),
    weights: boards.weights.filter((_, other) => other !== row),
    atMs: boards.atMs.filter((_, other) => other !== row),
  }
}

function weightAt(boards: BoardAffinity, row: number, atMs: number): number {
  return (boards.weights[row] ?? 0) * decay(atMs - (boards.atMs[row] ?? 0), boardHalfLifeMs)
}
