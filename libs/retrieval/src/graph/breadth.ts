import { clearColumn } from '@freshet/columns/clear-column'
import type { Adjacency } from './adjacency.ts'
import type { WalkMemory } from './walk-memory.ts'

/** When a board is about too much to tell one pin by another on it (Pixie prunes boards of high topic entropy). */
export interface BreadthOptions {
  /** Boards with fewer pins of known topic are never hidden. */
  readonly minPins: number
  /** Entropy of a board's topics above which it is hidden, bits. */
  readonly maxEntropyBits: number
}

/** Keeps the verdict on each board up to date. A verdict depends on the board's list alone, not on how it came about. */
export interface BreadthCheck {
  changed(board: number): void
  forget(board: number): void
  isHidden(board: number): boolean
  /** Judges what has changed since. */
  settle(): void
  clear(): void
}

const maxWaiting = 256

/** A check over a graph's boards; it hides them in `pinsOfBoard`. */
export function createBreadthCheck({
  options,
  pinsOfBoard,
  memory,
  topicOf,
}: {
  readonly options: BreadthOptions
  readonly pinsOfBoard: Adjacency
  readonly memory: WalkMemory
  readonly topicOf: (pinRow: number) => number
}): BreadthCheck {
  const { pool, isWaiting } = memory
  const { hidden } = memory.boards
  const waiting: number[] = []
  const topicCounts = new Map<number, number>()

  function judge(board: number): void {
    const start = pinsOfBoard.startOf(board)
    const end = start + pinsOfBoard.countOf(board)
    topicCounts.clear()
    let known = 0
    for (let at = start; at < end; at++) {
      const topic = topicOf(pool[at]!)
      if (topic < 0) continue
      known++
      topicCounts.set(topic, (topicCounts.get(topic) ?? 0) + 1)
    }
    const isWide = known >= options.minPins && entropyBits(topicCounts.values(), known) > options.maxEntropyBits
    pinsOfBoard.setHidden(board, isWide)
  }

  function settle(): void {
    for (const board of waiting) {
      if (isWaiting[board] === 1) judge(board)
      isWaiting[board] = 0
    }
    waiting.length = 0
  }

  return {
    changed(board) {
      if (isWaiting[board] === 1) return
      if (pinsOfBoard.countOf(board) < options.minPins && hidden[board] === 0) return
      isWaiting[board] = 1
      waiting.push(board)
      if (waiting.length >= maxWaiting) settle()
    },
    forget(board) {
      isWaiting[board] = 0
    },
    isHidden: (board) => hidden[board] === 1,
    settle,
    clear() {
      clearColumn(isWaiting)
      waiting.length = 0
    },
  }
}

function entropyBits(counts: Iterable<number>, total: number): number {
  let bits = 0
  for (const count of counts) bits -= (count / total) * Math.log2(count / total)
  return bits
}
