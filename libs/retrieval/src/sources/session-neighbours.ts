import { createNeighbourGatherer, recentPinsOf } from '../neighbours/gather.ts'
import { createNeighbourSet } from '../neighbours/neighbour-set.ts'
import { createNeighbourScorer, type NeighbourParameters } from '../neighbours/scoring.ts'
import { uninterrupted, type Interruption } from '../interruption.ts'
import type { Hits } from '@freshet/columns/score-board'
import type { Source, SourceDefinition, SourceQuery, SharedViews } from '../source.ts'
import { createVariants } from './shared/variants.ts'

/**
 * What users like this one did next: nearest neighbours among the trails of all users, see `createNeighbourScorer`. Its
 * view is the neighbour index: each event makes its user a better neighbour at once.
 */
export const sessionNeighbours: SourceDefinition<NeighbourParameters> = {
  name: 'session-neighbours',
  enabled: true,
  maxCandidates: 300,
  share: 1,
  parameters: {
    maxRecentPins: 10,
    historyDecaySteps: 2,
    maxTrailsPerPin: 200,
    maxNeighbours: 300,
    distanceDecaySteps: 5,
    forwardWeight: 1.2,
    lengthExponent: 0.25,
    sharedRarityExponent: 1.5,
    rarityExponent: 2,
    ageDecayDays: 90,
  },
  create: createSessionNeighbours,
}

/** Ways to weigh neighbours, beside the parameters as they are: what is read is popular, of this day, of these hours; or a board is filled. */
const ways: readonly Partial<NeighbourParameters>[] = [
  {},
  { rarityExponent: 1 },
  { rarityExponent: 1, ageDecayDays: 1 },
  { rarityExponent: 1, ageDecayDays: 0.06 },
  { historyDecaySteps: 1_000, maxRecentPins: 20 },
]

function createSessionNeighbours({ board }: SharedViews, parameters: NeighbourParameters): Source {
  const gatherer = createNeighbourGatherer(parameters.maxTrailsPerPin)
  const set = createNeighbourSet(parameters.maxTrailsPerPin)
  const scorers = ways.map((way) => {
    const { maxRecentPins, ...rest } = { ...parameters, ...way }
    return { maxRecentPins, scorer: createNeighbourScorer(board, { ...rest, maxRecentPins }) }
  })
  const recentRows = new Int32Array(Math.max(...scorers.map(({ maxRecentPins }) => maxRecentPins)))
  const variants = createVariants(scorers.length, (variant, query, hits) => {
    answer(variant, query, hits, uninterrupted)
  })
  const recentsOf = (variant: number): number => scorers[variant]?.maxRecentPins ?? 0

  function answer(variant: number, query: SourceQuery, hits: Hits, interruption: Interruption): void {
    const { trails } = query.index
    const counts = { trailsEver: trails.sessionsEver, countOf: trails.sessionCountOf }
    const recent = recentPinsOf(query, recentsOf(variant), recentRows)
    gatherer.gather(recent, query.index, set)
    scorers[variant]?.scorer.score(recent, set, { atMs: query.atMs, counts, interruption })
    board.top(query.limit, query.accept, hits)
  }

  return {
    name: 'session-neighbours',
    scale: 'relative',
    reads: {
      list: 'trails',
      maxPerPin: parameters.maxTrailsPerPin,
      pinsOf(query) {
        const most = Math.max(recentsOf(variants.chosen), recentsOf(variants.challenger))
        const { count, rows } = recentPinsOf(query, most, recentRows)
        return [...rows.subarray(0, count)]
      },
    },
    adaptation: variants,
    query: (query, hits, interruption) => answer(variants.chosen, query, hits, interruption),
    bytes: () => 0,
    counts: () => ({ variant: variants.chosen }),
    save: variants.save,
    load: variants.load,
  }
}
