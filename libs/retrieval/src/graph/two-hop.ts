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

/** Entries that are read between two looks whether to break off. */
const entriesPerLook = 1_024
/** All entries weigh the same. */
const equally = Float64Array.of(1)

/** Expansion over a graph into a score board. Sums are made in the order of the graph's lists, which row numbers don't change. */
export function createTwoHop(graph: PinGraph, board: ScoreBoard, options: TwoHopOptions): TwoHop {
  const { boardsOfPin, atSeconds, memory } = graph
  const { pool } = memory
  const { heads } = memory.boards
  const { maxBoards, maxPins, boardWeight, trailWeight } = options
  const decay = rateOf(options.halfLifeMs)
  const drift = rateOf(options.driftHalfLifeMs)
  // By size of a board: powers take longer than all that is read of a small board.
  let sizeFactors = new Float64Array(0)

  function makeRoom(size: number): void {
    sizeFactors = Float64Array.from({ length: 2 * size }, (_, entries) => entries ** -options.boardSizePower)
  }

  // Entries read since the last look at the clock, over all starts of a request.
  let read = 0
  let lastInterruption: Interruption | null = null

  return {
    expand(pinRow, weight, { atMs, ownBoard, interruption }) {
      if (interruption !== lastInterruption) {
        lastInterruption = interruption
        read = 0
      }
      if (interruption.happened || (trailWeight === 0 && graph.savedBoards === 0)) return
      const now = atMs / 1000
      const count = boardsOfPin.countOf(pinRow)
      const end = boardsOfPin.startOf(pinRow) + count
      const perBoard = weight * count ** -options.pinDegreePower
      for (let at = end - 1; at >= end - Math.min(count, maxBoards); at--) {
        const node = pool[at]!
        // A hidden board has no visible entries.
        const size = heads[2 * node + 1]!
        if (node === ownBoard || size === 0) continue
        const kindWeight = boardWeight === trailWeight || graph.kindOf(node) === 'board' ? boardWeight : trailWeight
        if (kindWeight === 0) continue
        const edgeAt = atSeconds[at]!
        const start = heads[2 * node]!
        if (size >= sizeFactors.length) makeRoom(size)
        const aged = decay === 0 ? 1 : Math.exp(-decay * Math.max(0, now - edgeAt))
        const perPin = perBoard * kindWeight * aged * sizeFactors[size]!
        const from = size <= maxPins ? start : nearest({ start, size, wanted: maxPins, seconds: edgeAt, atSeconds })
        const to = from + Math.min(size, maxPins)
        read += to - from
        if (read >= entriesPerLook) {
          if (interruption.due(read)) return
          read = 0
        }
        if (drift === 0) board.addAll(pool, { from, to, shift: 0, factor: perPin }, equally)
        else
          for (let i = from; i < to; i++)
            board.add(pool[i]!, perPin * Math.exp(-drift * Math.abs(atSeconds[i]! - edgeAt)))
      }
    },
  }
}

// Where the part of a longer list begins that is `wanted` long and around the first entry that is not older than `seconds`.
function nearest(list: {
  readonly start: number
  readonly size: number
  readonly wanted: number
  readonly seconds: number
  readonly atSeconds: Uint32Array
}): number {
  const { start, size, wanted, seconds, atSeconds } = list
  let low = start
  let high = start + size
  while (low < high) {
    const middle = (low + high) >> 1
    if (atSeconds[middle]! < seconds) low = middle + 1
    else high = middle
  }
  return Math.max(start, Math.min(low - (wanted >> 1), start + size - wanted))
}

function rateOf(halfLifeMs: number): number {
  return halfLifeMs === 0 ? 0 : Math.LN2 / (halfLifeMs / 1000)
}
