import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { createNeighbourGatherer, fillRecentPins } from '../neighbours/gather.ts'
import { createNeighbourSet } from '../neighbours/neighbour-set.ts'
import { createNeighbourScorer, type NeighbourParameters } from '../neighbours/scoring.ts'
import { uninterrupted, type Interruption } from '../interruption.ts'
import type { Hits } from '@freshet/columns/score-board'
import type { Source, SourceDefinition, SourceQuery, SharedViews } from '../source.ts'
import { createVariants } from './shared/variants.ts'

/**
 * Finds pins that similar users took next: nearest neighbours among the trails of all users, see `createNeighbourScorer`.
 * It reads the neighbour index, so each event counts immediately.
 */
export const sessionNeighbours: SourceDefinition<NeighbourParameters> = {
  name: 'session-neighbours',
  description: 'The pins that users with a similar recent history took next.',
  enabled: true,
  maxCandidates: 300,
  share: 1,
  parameters: {
    maxRecentPins: wholeSetting(10, {
      description: "The source looks up at most this many of the user's recent pins",
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    historyDecaySteps: numberSetting(2, {
      description: 'A pin this many steps back in the history of the user counts 1/e',
      unit: 'steps',
      min: 0,
      max: 1_000_000,
    }),
    maxTrailsPerPin: wholeSetting(200, {
      description: 'The source reads at most this many of the latest trails of a pin',
      unit: 'trails',
      min: 1,
      max: 100_000,
    }),
    maxNeighbours: wholeSetting(300, {
      description: 'At most this many of the most similar trails vote',
      unit: 'trails',
      min: 1,
      max: 100_000,
    }),
    distanceDecaySteps: numberSetting(5, {
      description: 'A pin of a neighbour this many steps from the shared pin counts 1/e',
      unit: 'steps',
      min: 0,
      max: 1_000_000,
    }),
    forwardWeight: numberSetting(1.2, {
      description: 'Weight of pins that come after the shared pin, relative to pins that come before it',
      unit: 'weight',
      min: 0,
      max: 1000,
    }),
    lengthExponent: numberSetting(0.25, {
      description: 'The similarity of a trail is divided by its length to the power of this',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    sharedRarityExponent: numberSetting(1.5, {
      description: 'A shared pin counts log(trails / trails with the pin) to the power of this',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    rarityExponent: numberSetting(2, {
      description: 'A recommended pin counts log(trails / trails with the pin) to the power of this',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    ageDecayDays: numberSetting(90, {
      description: 'A trail whose last action is this many days old counts 1/e',
      unit: 'days',
      min: 0,
      max: 36_500,
    }),
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
    const recent = fillRecentPins(query, recentsOf(variant), recentRows)
    gatherer.gather(recent, query.index, set)
    const scorer = scorers[variant]?.scorer
    scorer?.score(recent, set, { atMs: query.atMs, trails, interruption })
    scorer?.top(query, trails, hits)
  }

  return {
    name: 'session-neighbours',
    scale: 'relative',
    reads: {
      list: 'trails',
      maxPerPin: parameters.maxTrailsPerPin,
      pinsOf(query) {
        const most = Math.max(recentsOf(variants.chosen), recentsOf(variants.challenger))
        const { count, rows } = fillRecentPins(query, most, recentRows)
        return [...rows.subarray(0, count)]
      },
    },
    startedFrom: (query) => {
      const { count, rows } = fillRecentPins(query, recentsOf(variants.chosen), recentRows)
      return rows.subarray(0, count)
    },
    adaptation: variants,
    query: (query, hits, interruption) => answer(variants.chosen, query, hits, interruption),
    bytes: () => 0,
    counts: () => ({ variant: variants.chosen }),
    save: variants.save,
    load: variants.load,
  }
}
