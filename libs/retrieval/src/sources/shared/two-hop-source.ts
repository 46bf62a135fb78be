import { wholeSetting } from '@freshet/settings/setting'
import { createTwoHop, type TwoHopOptions } from '../../graph/two-hop.ts'
import type { SharedViews, Source } from '../../source.ts'
import { createAdaptiveSource, type AnswerFrom } from './adaptive-starts.ts'
import type { StartsOptions } from './starts.ts'

/** How a source goes from the user's recent pins over their boards to other pins. */
export interface TwoHopSourceOptions {
  readonly name: string
  readonly starts: StartsOptions
  readonly hops: TwoHopOptions
  /** What a start of this weight is worth. */
  readonly startWorth: (weight: number) => number
  /** The weight of a pin is divided by the number of its boards to this power. */
  readonly popularityPower: number
}

/** Settings of how much of the graph such a source reads. */
export function twoHopSettings(defaults: { readonly maxBoardsPerPin: number; readonly maxPinsPerBoard: number }) {
  return {
    maxBoardsPerPin: wholeSetting(defaults.maxBoardsPerPin, {
      description: 'The source reads at most this many of the latest boards of a pin',
      unit: 'boards',
      min: 1,
      max: 100_000,
    }),
    maxPinsPerBoard: wholeSetting(defaults.maxPinsPerBoard, {
      description: 'The source reads at most this many of the latest pins of a board',
      unit: 'pins',
      min: 1,
      max: 100_000,
    }),
  }
}

/** A source of the pins that are two hops away in the live graph. */
export function createTwoHopSource(
  { board, graph }: SharedViews,
  { name, starts, hops, startWorth, popularityPower }: TwoHopSourceOptions,
): Source {
  const view = graph()
  const walk = createTwoHop(view.graph, board, hops)
  const { counts } = view.graph.memory.pins
  const factors = Float64Array.from(
    { length: view.caps.maxBoardsPerPin + 1 },
    (_, boards) => Math.max(1, boards) ** -popularityPower,
  )
  const factorOf = (row: number): number => factors[counts[row]!]!

  const answer: AnswerFrom = (from, query, hits, interruption) => {
    view.graph.settle()
    board.clear()
    from.fill(query)
    const about = { atMs: query.atMs, ownBoard: view.ownBoardOf(query), interruption }
    for (let i = 0; i < from.count; i++) walk.expand(from.pinRows[i]!, startWorth(from.weights[i]!), about)
    board.top(query.limit, query.accept, hits, factorOf)
  }

  return createAdaptiveSource(name, starts, answer)
}
