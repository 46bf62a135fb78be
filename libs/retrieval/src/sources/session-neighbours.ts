import { createNeighbourGatherer, recentPinsOf } from '../neighbours/gather.ts'
import { createNeighbourSet } from '../neighbours/neighbour-set.ts'
import { createNeighbourScorer, type NeighbourParameters } from '../neighbours/scoring.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'

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

function createSessionNeighbours({ board }: SharedViews, parameters: NeighbourParameters): Source {
  const gatherer = createNeighbourGatherer(parameters.maxTrailsPerPin)
  const scorer = createNeighbourScorer(board, parameters)
  const set = createNeighbourSet(parameters.maxTrailsPerPin)
  const recentRows = new Int32Array(parameters.maxRecentPins)
  return {
    name: 'session-neighbours',
    scale: 'relative',
    reads: {
      list: 'trails',
      maxPerPin: parameters.maxTrailsPerPin,
      pinsOf(query) {
        const { count, rows } = recentPinsOf(query, parameters.maxRecentPins, recentRows)
        return [...rows.subarray(0, count)]
      },
    },
    query(query, hits, interruption) {
      const { trails } = query.index
      const counts = { trailsEver: trails.sessionsEver, countOf: trails.sessionCountOf }
      const recent = recentPinsOf(query, parameters.maxRecentPins, recentRows)
      gatherer.gather(recent, query.index, set)
      scorer.score(recent, set, { atMs: query.atMs, counts, interruption })
      board.top(query.limit, query.accept, hits)
    },
    bytes: () => 0,
    save() {},
    load() {},
  }
}
