import type { Interruption } from '../interruption.ts'
import type { ScoreBoard } from '@freshet/columns/score-board'
import type { PinGraph } from './pin-graph.ts'

/** How the two-hop neighbourhood of pins is weighed. */
export interface TwoHopOptions {
  /** Exponent of a pin's degree in the probability of leaving it by one board: 1 is a random walk. */
  readonly pinDegreePower: number
  /** Exponent of a board's size in the probability of leaving it by one pin: 1 is a random walk. */
  readonly boardSizePower: number
  /** An edge counts half after this long, milliseconds; 0: for ever. */
  readonly halfLifeMs: number
  /** Two pins count half when put on the same board so far apart, milliseconds: what a board is about drifts; 0: no matter. */
  readonly driftHalfLifeMs: number
  readonly boardWeight: number
  readonly trailWeight: number
  /** Of a pin, the latest boards that are looked at; of a board, the pins put there next to it in time. */
  readonly maxBoards: number
  readonly maxPins: number
}

/** The time of the request, the user's own trail, which is left out (-1: none), and the interruption. */
export interface ExpansionContext {
  readonly atMs: number
  readonly ownBoard: number
  readonly interruption: Interruption
}

/** Expands pins to the pins that share boards with them, in closed form. */
export interface TwoHop {
  /** Adds `weight` × what one pin says of others to the board; edges after `atMs` count fully. Call `graph.settle` before. */
  expand(pinRow: number, weight: number, query: ExpansionContext): void
}

/** Expansion over a graph into a score board. Sums are made in the order of the graph's lists, which row numbers don't change. */
export function createTwoHop(graph: PinGraph, board: ScoreBoard, options: TwoHopOptions): TwoHop {
  const { boardsOfPin, pinsOfBoard, atSeconds, memory } = graph
  const { pool } = memory
  const decay = rateOf(options.halfLifeMs)
  const drift = rateOf(options.driftHalfLifeMs)

  return {
    expand(pinRow, weight, { atMs, ownBoard, interruption }) {
      const now = atMs / 1000
      const count = boardsOfPin.countOf(pinRow)
      const end = boardsOfPin.startOf(pinRow) + count
      const perBoard = weight * count ** -options.pinDegreePower
      for (let at = end - 1; at >= end - Math.min(count, options.maxBoards); at--) {
        const node = pool[at]!
        if (node === ownBoard || graph.isHidden(node)) continue
        const edgeAt = atSeconds[at]!
        const kindWeight = graph.kindOf(node) === 'board' ? options.boardWeight : options.trailWeight
        if (kindWeight === 0) continue
        const size = pinsOfBoard.countOf(node)
        const start = pinsOfBoard.startOf(node)
        const perPin =
          perBoard * kindWeight * Math.exp(-decay * Math.max(0, now - edgeAt)) * size ** -options.boardSizePower
        const [from, to] = nearest({ start, size, wanted: options.maxPins, seconds: edgeAt, atSeconds })
        if (interruption.due(to - from)) return
        for (let i = from; i < to; i++) {
          const apart = drift === 0 ? 1 : Math.exp(-drift * Math.abs(atSeconds[i]! - edgeAt))
          board.add(pool[i]!, perPin * apart)
        }
      }
    },
  }
}

// The part of a list, at most `wanted` long, around the first entry that is not older than `seconds`.
function nearest(list: {
  readonly start: number
  readonly size: number
  readonly wanted: number
  readonly seconds: number
  readonly atSeconds: Uint32Array
}): readonly [number, number] {
  const { start, size, wanted, seconds, atSeconds } = list
  if (size <= wanted) return [start, start + size]
  let low = start
  let high = start + size
  while (low < high) {
    const middle = (low + high) >> 1
    if (atSeconds[middle]! < seconds) low = middle + 1
    else high = middle
  }
  const from = Math.max(start, Math.min(low - (wanted >> 1), start + size - wanted))
  return [from, from + wanted]
}

function rateOf(halfLifeMs: number): number {
  return halfLifeMs === 0 ? 0 : Math.LN2 / (halfLifeMs / 1000)
}
