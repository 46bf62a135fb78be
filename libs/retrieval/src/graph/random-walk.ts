import { mix32 } from '@freshet/domain/hash'

import type { Catalogue } from '../views/catalogue.ts'
import type { Interruption } from '../interruption.ts'
import { bestRows, scratchScores, type Hits } from '@freshet/columns/score-board'
import type { PinGraph } from './pin-graph.ts'
import { maxWalkers, visitTableFor } from './walk-memory.ts'

/** How walks go. */
export type WalkOptions = {
  /** Steps (pin to board to pin) of all walks of a query together. */
  readonly steps: number
  /** Probability of going back to the start after a step. */
  readonly restart: number
  /** Probability of drawing the later of two of a pin's boards instead of one. */
  readonly latest: number
  /** A pin's walk stops early when this many pins have `enoughVisits`. */
  readonly enoughPins: number
  readonly enoughVisits: number
  /** Visits are divided by degree^popularityDiscount. */
  readonly popularityDiscount: number
  /** Probability of passing over a pin labelled otherwise than the query. */
  readonly bias: number
  /** Walkers of one pin that take a step together, 1–256. */
  readonly walkers: number
}

/** Where walks start and what they are about. */
export interface WalkQuery {
  readonly count: number
  /** Pins to start from, each once, and their weights above 0. */
  readonly pinRows: Int32Array
  readonly weights: Float64Array
  /** Equal queries with equal seeds get equal answers. */
  readonly seed: number
  /** The user's own trail, which is no neighbour of itself; -1 for none. */
  readonly ownBoard: number
  /** The label that walks are biased towards; 0 for none. */
  readonly label: number
  /** PreparedQuery about every 200 µs; what was visited by then counts. */
  readonly interruption: Interruption
}

/** Pixie random walks (Eksombatchai et al. 2017) over a live graph. */
export interface RandomWalk {
  /** Fills `hits` with the accepted pins of the largest boosted visit counts, best first; gives the steps taken. */
  walk(query: WalkQuery, answer: WalkAnswer): number
}

/** What is wanted of a walk's visits. */
export interface WalkAnswer {
  readonly limit: number
  readonly accept: (row: number) => boolean
  readonly hits: Hits
}

const nowhere = 0xffffffff

/** Steps between two looks whether to break off. */
const stepsPerLook = 2_048

/** Walks over a graph. */
export function createRandomWalk({
  graph,
  catalogue,
  maxDegree,
  maxSteps,
  options,
}: {
  readonly graph: PinGraph
  readonly catalogue: Catalogue
  /** The most boards a pin can have in the graph. */
  readonly maxDegree: number
  /** The most steps that the graph's memory has room for. */
  readonly maxSteps: number
  readonly options: WalkOptions
}): RandomWalk {
  const { memory } = graph
  const { kernel } = memory
  const restart = asThreshold(options.restart)
  const latest = asThreshold(options.latest)
  const bias = asThreshold(options.bias)
  const walkers = Math.min(maxWalkers, Math.max(1, Math.floor(options.walkers)))
  for (let degree = 0; degree < memory.discounts.length; degree++) {
    memory.discounts[degree] = Math.max(1, degree) ** -options.popularityDiscount
  }
  const logMaxDegree = Math.log(maxDegree)

  // Pixie's s_q = deg(q)·(C − log deg(q)), with C one above the largest so that no start is left without steps.
  function shareOf(pinRow: number): number {
    const degree = graph.boardsOfPin.countOf(pinRow)
    return degree === 0 ? 0 : degree * (1 + logMaxDegree - Math.log(degree))
  }

  return {
    walk({ count, pinRows, weights, seed, ownBoard, label, interruption }, { limit, accept, hits }) {
      graph.settle()
      let total = 0
      for (let i = 0; i < count; i++) total += weights[i]! * shareOf(pinRows[i]!)
      // The last round of a walk may take up to a step of each walker more, and shares are rounded up.
      const spare = count * (walkers + 1)
      const budget = Math.min(options.steps, maxSteps - spare)
      const { slots, pinsFit } = visitTableFor(budget + spare, graph.pinLimit)
      for (let i = 0; i < count; i++) {
        const pin = pinRows[i]!
        const steps = Math.ceil((budget * weights[i]! * shareOf(pin)) / total)
        const width = Math.min(walkers, steps)
        if (!(steps > 0)) continue
        kernel.begin(
          pin,
          steps,
          width,
          options.enoughPins,
          options.enoughVisits,
          restart,
          latest,
          ownBoard < 0 ? nowhere : ownBoard,
          label,
          label === 0 ? 0 : bias,
          slots,
          pinsFit ? 1 : 0,
          mix32(seed ^ catalogue.tieOf(pin)),
          mix32(seed + 0x9e3779b9) ^ catalogue.tieOf(pin),
        )
        let late = false
        while (!late && kernel.advance(stepsPerLook) !== 0) late = interruption.due(stepsPerLook)
        kernel.end()
        if (late || interruption.due(Math.min(steps, stepsPerLook))) break
      }
      const visited = kernel.finish(memory.discountsAt)
      const scores = scratchScores(visited)
      for (let i = 0; i < visited; i++) scores[i] = memory.scores[i]!
      bestRows(catalogue, { rows: memory.visited, scores, count: visited }, { limit, accept, hits })
      const taken = kernel.stepsTaken()
      kernel.clear()
      return taken
    },
  }
}

function asThreshold(probability: number): number {
  return Math.min(0xffffffff, Math.round(probability * 2 ** 32))
}
