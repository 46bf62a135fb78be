import { numberSetting } from '@freshet/settings/setting'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { startSettings, type StartsOptions } from './shared/starts.ts'
import { createTwoHopSource, twoHopSettings } from './shared/two-hop-source.ts'

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
 * user's long history, so there is no matrix to keep. How much what came last counts beside the rest is chosen by what
 * has been right.
 */
export const longTermWalk: SourceDefinition<LongTermWalkParameters> = {
  name: 'long-term-walk',
  description: "Pins that are two hops from the user's long history, over boards, with popular pins counted less.",
  enabled: true,
  maxCandidates: 300,
  share: 0.1,
  parameters: {
    ...startSettings({ maxStarts: 50, historyDecay: 0.8, halfLifeMs: 30 * 86_400_000 }),
    alpha: numberSetting(0.5, {
      description: 'Exponent of the transition probabilities of the walk (0.86 in the paper)',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    beta: numberSetting(0.2, {
      description: 'Pins are divided by their degree to the power of this (0.43 in the paper)',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    ...twoHopSettings({ maxBoardsPerPin: 200, maxPinsPerBoard: 100 }),
  },
  create: createLongTermWalk,
}

function createLongTermWalk(views: SharedViews, parameters: LongTermWalkParameters): Source {
  const { alpha, beta, maxBoardsPerPin, maxPinsPerBoard } = parameters
  return createTwoHopSource(views, {
    name: 'long-term-walk',
    starts: parameters,
    hops: {
      pinDegreePower: alpha,
      boardSizePower: alpha,
      halfLifeMs: 0,
      driftHalfLifeMs: 0,
      boardWeight: 1,
      trailWeight: 1,
      maxBoards: maxBoardsPerPin,
      maxPins: maxPinsPerBoard,
    },
    startWorth: (weight) => weight ** alpha,
    popularityPower: beta,
  })
}
