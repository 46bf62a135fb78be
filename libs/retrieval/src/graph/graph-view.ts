import type { Engagement } from '@freshet/domain/engagement'
import { hash32 } from '@freshet/domain/hash'
import type { PinChange } from '@freshet/domain/pin'

import type { Catalogue } from '../views/catalogue.ts'
import { RetrievalConfigError } from '../errors.ts'
import type { RowHolder } from '../views/recycling.ts'
import type { Novelty, WithdrawnSave } from '../views/saves.ts'
import { userKey } from '../views/session-keys.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createClosedBoards } from './closed-boards.ts'
import { createHorizons } from './horizons.ts'
import { createTakenBack } from './taken-back.ts'
import { createPinGraph, secondsOf, type BoardKey, type PinGraph } from './pin-graph.ts'

/** Caps of the graph, see `PinGraphOptions`. */
export interface GraphCaps {
  readonly maxPins: number
  readonly maxBoards: number
  readonly maxEdges: number
  readonly maxBoardsPerPin: number
  readonly maxPinsPerBoard: number
}

/** The graph as a fold over topics: pins on boards by saves, pins in their users' trails by any positive action. */
export interface GraphView {
  readonly graph: PinGraph
  readonly caps: GraphCaps
  /** Folds an engagement; returns what it is to the user's trail. */
  foldEngagement(folded: { readonly engagement: Engagement; readonly row: number; readonly positive: boolean }): Novelty
  /** Removes a pin from the user's trail if only the withdrawn saves put it there; returns whether it did. */
  withdraw(userId: string, row: number, saves: readonly WithdrawnSave[]): boolean
  /** Drops the user's trail. */
  forget(userId: string): void
  foldPin(row: number, change: PinChange): void
  /** Drops a board and lets it link no pins, or lets it link pins again. */
  closeBoard(boardId: string, isClosed: boolean): void
  /** Removes a gone pin. */
  letGo(row: number): void
  /** Lists that may hold rows of gone pins. */
  readonly holder: RowHolder
  /** The board row of the asking user's own trail; -1 if it is not in the graph. */
  ownBoardOf(query: { readonly userId: string | null }): number
  /** The rows of the pins that the graph knows on a board. */
  pinsOn(boardId: string): readonly number[]
  /**
   * A hash of the board that a pin was saved to last, among the boards that the graph still has for it; 0: none. Boards of the same
   * second: the one with the higher key. Passes over the users who acted on the pin since: at most `maxBoardsPerPin` steps.
   */
  lastBoardOf(row: number): number
  /** The label that walks of a language are biased towards; 0 for none. */
  labelOf(language: string | null): number
  bytes(): number
  counts(): Readonly<Record<string, number>>
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** The most steps that the walks of one query may take. */
export const maxWalkSteps = 200_000

const breadth = { minPins: 50, maxEntropyBits: 4.5 }

/** The key of a board. */
function boardKeyOf(boardId: string): BoardKey {
  return { high: hash32(boardId, 0xb0a2d), low: hash32(boardId, 0x51de5) }
}

/** Creates an empty view. Throws a RetrievalConfigError if the caps need more memory than can be addressed. */
export function createGraphView({
  catalogue,
  caps,
}: {
  readonly catalogue: Catalogue
  readonly caps: GraphCaps
}): GraphView {
  const graph = made(() =>
    createPinGraph({
      ...caps,
      maxSteps: maxWalkSteps,
      breadth,
      tieOf: catalogue.tieOf,
      isGone: catalogue.isGone,
      topicOf: (row) => (catalogue.topicCountOf(row) > 0 ? catalogue.topicOf(row, 0) : -1),
    }),
  )
  const taken = createTakenBack(catalogue)
  const horizons = createHorizons()
  const closed = createClosedBoards(caps.maxBoards)
  /** Whether the pin was put on the board after a time; to the second, as the graph keeps it. */
  const isLater = (key: BoardKey, row: number, atMs: number): boolean => {
    const board = graph.boardOf(key)
    const at = board < 0 ? -1 : graph.pinsOfBoard.find(board, row)
    return at >= 0 && graph.atSeconds[at]! * 1000 > atMs
  }
  const labelOf = (language: string | null): number => (language === null ? 0 : 1 + (hash32(language) % 255))

  return {
    graph,
    caps,
    foldEngagement({ engagement, row, positive }) {
      const { action, boardId, occurredAtMs: atMs } = engagement
      if (row < 0) return 'again'
      if (action === 'unsave' && boardId !== null) {
        taken.note(boardId, row, atMs)
        if (!isLater(boardKeyOf(boardId), row, atMs)) graph.remove(boardKeyOf(boardId), row)
      }
      if (!positive) return 'again'
      if (action === 'save' && boardId !== null && !taken.isAfter(boardId, row, atMs)) {
        const key = boardKeyOf(boardId)
        if (!closed.has(key)) graph.add({ key, kind: 'board', pinRow: row, atMs })
      }
      // A user is one node, whatever the sessions, so that those who act rarely link pins too.
      const key = userKey(engagement.userId)
      const added = graph.add({ key, kind: 'trail', pinRow: row, atMs })
      if (added === 'known') return 'again'
      if (typeof added === 'number') horizons.note(key, added)
      return added !== 'refused' && horizons.counts(key, secondsOf(atMs)) ? 'counted' : 'new'
    },
    withdraw(userId, row, saves) {
      const key = userKey(userId)
      // An earlier entry of the pin may have come and gone, and this one be of another action.
      if (!saves.some(({ atMs, isFirst }) => isFirst && !horizons.hides(key, secondsOf(atMs)))) return false
      const trail = graph.boardOf(key)
      const at = trail < 0 ? -1 : graph.pinsOfBoard.find(trail, row)
      if (at < 0) return false
      const isOfSave = saves.some(({ atMs }) => secondsOf(atMs) === graph.atSeconds[at])
      if (isOfSave) graph.remove(key, row)
      return isOfSave
    },
    forget(userId) {
      graph.removeBoard(userKey(userId))
      horizons.forget(userKey(userId))
    },
    foldPin(row, change) {
      if (change.kind === 'delete') return graph.removePin(row)
      graph.setLabel(row, labelOf(catalogue.languageOf(row)))
      graph.topicsChanged(row)
    },
    closeBoard(boardId, isClosed) {
      const key = boardKeyOf(boardId)
      closed.set(key, isClosed)
      if (isClosed) graph.removeBoard(key)
    },
    letGo(row) {
      graph.removePin(row)
      graph.setLabel(row, 0)
      graph.topicsChanged(row)
    },
    holder: graph,
    ownBoardOf: ({ userId }) => (userId === null ? -1 : graph.boardOf(userKey(userId))),
    pinsOn(boardId) {
      const board = graph.boardOf(boardKeyOf(boardId))
      if (board < 0) return []
      const start = graph.pinsOfBoard.startOf(board)
      return [...graph.memory.pool.subarray(start, start + graph.pinsOfBoard.countOf(board))]
    },
    lastBoardOf(row) {
      const { boardsOfPin, memory } = graph
      const start = boardsOfPin.startOf(row)
      for (let at = start + boardsOfPin.countOf(row) - 1; at >= start; at--) {
        const board = memory.pool[at]!
        // 0 stands for no board.
        if (graph.kindOf(board) === 'board') return memory.keyHighs[board]! || 1
      }
      return 0
    },
    labelOf,
    bytes: () => graph.bytes() + closed.bytes(),
    counts: () => ({
      boards: graph.boards,
      edges: graph.edges,
      droppedBoards: graph.dropped,
      closedBoards: closed.size,
      unclosedBoards: closed.refused,
      maxBytes: graph.maxBytes,
    }),
    save(writer) {
      graph.save(writer)
      taken.save(writer.under('taken'))
      horizons.save(writer.under('horizons'))
      closed.save(writer.under('closed'))
    },
    load(reader) {
      graph.load(reader)
      taken.load(reader.under('taken'))
      horizons.load(reader.under('horizons'))
      closed.load(reader.under('closed'))
    },
  }
}

function made(create: () => PinGraph): PinGraph {
  try {
    return create()
  } catch (error) {
    if (error instanceof RangeError) throw new RetrievalConfigError('RETRIEVAL_CONFIG_INVALID', [error.message])
    throw error
  }
}
