import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'
import { startSettings, type StartsOptions } from './shared/starts.ts'
import { createTwoHopSource, twoHopSettings } from './shared/two-hop-source.ts'

/** Parameters of board co-occurrence. */
export type BoardCoOccurrenceParameters = StartsOptions & {
  /** A save counts half after this long, milliseconds. */
  readonly saveHalfLifeMs: number
  /** Two pins count half when saved to the same board so far apart, milliseconds: boards drift. */
  readonly driftHalfLifeMs: number
  /** A board of n pins counts n^-widthPower: wide boards say little. */
  readonly widthPower: number
  /** What being touched by the same user counts beside sharing a board. */
  readonly trailWeight: number
  readonly maxBoardsPerPin: number
  readonly maxPinsPerBoard: number
}

/**
 * Pins that share boards with the user's recent pins: N(A∩B)/√(N(A)·N(B)), each shared board weighted by how lately the
 * user's pin was saved to it, how wide it is and how far apart in time both pins were saved; boards about everything are
 * left out. Counted from the live graph when it is asked for, so a save counts at once.
 */
export const boardCoOccurrence: SourceDefinition<BoardCoOccurrenceParameters> = {
  name: 'board-co-occurrence',
  description: "Pins that share boards with the user's recent pins.",
  enabled: true,
  maxCandidates: 300,
  share: 0.3,
  parameters: {
    ...startSettings(),
    saveHalfLifeMs: wholeSetting(180 * 86_400_000, {
      description: 'A save counts half after this time',
      unit: 'ms',
      min: 1,
      max: 3_650 * 86_400_000,
    }),
    driftHalfLifeMs: wholeSetting(60 * 86_400_000, {
      description: 'Two pins of a board count half when users saved them this far apart, because boards drift',
      unit: 'ms',
      min: 1,
      max: 3_650 * 86_400_000,
    }),
    widthPower: numberSetting(0.5, {
      description: 'A board of n pins counts n to the power of minus this, because wide boards are less specific',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    trailWeight: numberSetting(0, {
      description: 'Weight of two pins that the same user touched, relative to two pins of the same board',
      unit: 'weight',
      min: 0,
      max: 1000,
    }),
    ...twoHopSettings({ maxBoardsPerPin: 300, maxPinsPerBoard: 100 }),
  },
  create: createBoardCoOccurrence,
}

function createBoardCoOccurrence(views: SharedViews, parameters: BoardCoOccurrenceParameters): Source {
  return createTwoHopSource(views, {
    name: 'board-co-occurrence',
    starts: parameters,
    hops: {
      pinDegreePower: 0.5,
      boardSizePower: parameters.widthPower,
      halfLifeMs: parameters.saveHalfLifeMs,
      driftHalfLifeMs: parameters.driftHalfLifeMs,
      boardWeight: 1,
      trailWeight: parameters.trailWeight,
      maxBoards: parameters.maxBoardsPerPin,
      maxPins: parameters.maxPinsPerBoard,
    },
    startWorth: (weight) => weight,
    popularityPower: 0.5,
  })
}
