import { createStarts, startDefaults, type StartsOptions } from '../graph/starts.ts'
import { createTwoHop } from '../graph/two-hop.ts'
import { selectorInto } from '../score-board.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'

/** Parameters of the closed-form walk. */
export type LongTermWalkParameters = StartsOptions & {
  /** Exponent of the walk's transition probabilities; .86 in the paper, less holds across sets with short histories too. */
  readonly alpha: number
  /** Pins are divided by degree^beta; .43 in the paper. */
  readonly beta: number
  readonly maxBoardsPerPin: number
  readonly maxPinsPerBoard: number
}

/**
 * RP3β (Paudel et al. 2016): the probability of a walk user → pin → board → pin, transition probabilities to the power
 * alpha, divided by the pin's degree to the power beta. Computed from the live graph when it is asked for, over the
 * user's long history, so there is no matrix to keep.
 */
export const longTermWalk: SourceDefinition<LongTermWalkParameters> = {
  name: 'long-term-walk',
  enabled: true,
  maxCandidates: 300,
  share: 0.1,
  parameters: {
    ...startDefaults,
    maxStarts: 50,
    historyDecay: 0.8,
    halfLifeMs: 30 * 86_400_000,
    alpha: 0.5,
    beta: 0.2,
    maxBoardsPerPin: 200,
    maxPinsPerBoard: 100,
  },
  create: createLongTermWalk,
}

function createLongTermWalk({ catalogue, board, graph }: SharedViews, parameters: LongTermWalkParameters): Source {
  const { alpha, beta, maxBoardsPerPin, maxPinsPerBoard } = parameters
  const view = graph()
  const starts = createStarts(parameters)
  const walk = createTwoHop(view.graph, board, {
    pinDegreePower: alpha,
    boardSizePower: alpha,
    halfLifeMs: 0,
    driftHalfLifeMs: 0,
    boardWeight: 1,
    trailWeight: 1,
    maxBoards: maxBoardsPerPin,
    maxPins: maxPinsPerBoard,
  })
  return {
    name: 'long-term-walk',
    query(query, hits, interruption) {
      view.graph.settle()
      board.clear()
      starts.fill(query)
      const about = { atMs: query.atMs, ownBoard: view.ownBoardOf(query), interruption }
      for (let i = 0; i < starts.count; i++) {
        walk.expand(starts.pinRows[i] ?? 0, (starts.weights[i] ?? 0) ** alpha, about)
      }
      const best = selectorInto(catalogue, query.limit, hits)
      for (let i = 0; i < board.touched; i++) {
        const row = board.touchedRow(i)
        const degree = Math.max(1, view.graph.boardsOfPin.countOf(row))
        best.offer(row, board.get(row) * degree ** -beta, query.accept)
      }
      best.finish()
    },
    bytes: () => 0,
    save() {},
    load() {},
  }
}
