import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { hash32 } from '@freshet/domain/hash'

import { maxWalkSteps } from '../graph/graph-view.ts'
import { createRandomWalk, type WalkOptions } from '../graph/random-walk.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { createAdaptiveSource } from './shared/adaptive-starts.ts'
import { startSettings, type StartsOptions } from './shared/starts.ts'

/** Parameters of the random walk source. */
export type PixieWalkParameters = WalkOptions & StartsOptions

/**
 * Pins that biased random walks from the user's recent pins visit most, over the live graph of pins, boards and users
 * (Pixie, Eksombatchai et al. 2017). The walks are seeded by the request: the same question of the same graph has the
 * same answer.
 */
export const pixieWalk: SourceDefinition<PixieWalkParameters> = {
  name: 'pixie-walk',
  description: "The pins that random walks from the user's recent pins visit most.",
  enabled: true,
  maxCandidates: 300,
  share: 0.4,
  parameters: {
    ...startSettings(),
    steps: wholeSetting(20_000, {
      description: 'All walks of one query take at most this many steps together',
      unit: 'steps',
      min: 1,
      max: 10_000_000,
    }),
    restart: numberSetting(0.5, {
      description: 'Probability that a walk returns to its start after a step',
      unit: 'probability',
      min: 0,
      max: 1,
    }),
    latest: numberSetting(0.25, {
      description: 'Probability that a walk draws two boards of a pin and follows the later one',
      unit: 'probability',
      min: 0,
      max: 1,
    }),
    enoughPins: wholeSetting(2_000, {
      description: 'The walk of a pin stops early when this many pins have `enoughVisits` visits',
      unit: 'pins',
      min: 1,
      max: 10_000_000,
    }),
    enoughVisits: wholeSetting(4, {
      description: 'Visits of a pin that count for `enoughPins`',
      unit: 'visits',
      min: 1,
      max: 1_000_000,
    }),
    popularityDiscount: numberSetting(0.2, {
      description: 'The visits of a pin are divided by its degree to the power of this',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    bias: numberSetting(0.5, {
      description: 'Probability that a walk skips a pin in another language than the one of the request',
      unit: 'probability',
      min: 0,
      max: 1,
    }),
    walkers: wholeSetting(64, {
      description: 'Walkers of one pin that take a step together',
      unit: 'walkers',
      min: 1,
      max: 256,
    }),
  },
  create: createPixieWalk,
}

function createPixieWalk({ catalogue, seed, graph }: SharedViews, parameters: PixieWalkParameters): Source {
  const view = graph()
  const random = createRandomWalk({
    graph: view.graph,
    catalogue,
    maxDegree: view.caps.maxBoardsPerPin,
    maxSteps: maxWalkSteps,
    options: parameters,
  })
  return createAdaptiveSource('pixie-walk', parameters, (from, query, hits, interruption) => {
    from.fill(query)
    const { count, pinRows, weights } = from
    const walkSeed = hash32(query.userId ?? '', seed ^ Math.floor(query.atMs / 1000))
    const label = view.labelOf(query.language)
    const ownBoard = view.ownBoardOf(query)
    const walk = { count, pinRows, weights, seed: walkSeed, ownBoard, label, interruption }
    random.walk(walk, { limit: query.limit, accept: query.accept, hits })
  })
}
