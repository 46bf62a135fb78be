import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { uninterrupted, type Interruption } from '../interruption.ts'
import { createRules, type RuleOptions, type Rules } from './shared/rules.ts'
import type { Hits } from '@freshet/columns/score-board'
import type { SharedViews, Source, SourceDefinition, SourceQuery } from '../source.ts'
import { createVariants } from './shared/variants.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Parameters of the co-occurrence source. */
export type CoOccurrenceParameters = RuleOptions & {
  /** Of the user's recent pins, how many are looked up. */
  readonly maxRecentPins: number
  /** Each step back in the user's history counts this much of the next. */
  readonly historyDecay: number
}

/** Finds pins that came near the user's recent pins in other sessions, see `createRules`. It reads the neighbour index by session. */
export const coOccurrence: SourceDefinition<CoOccurrenceParameters> = {
  name: 'co-occurrence',
  description: "Pins that users took in the same session as the user's recent pins.",
  enabled: true,
  maxCandidates: 300,
  share: 0.1,
  parameters: {
    maxRecentPins: wholeSetting(6, {
      description: "The source looks up at most this many of the user's recent pins",
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    historyDecay: numberSetting(0.6, {
      description: 'Each step back in the history of the user multiplies the weight of a pin by this',
      unit: 'factor',
      min: 0,
      max: 1,
    }),
    maxSessionsPerPin: wholeSetting(200, {
      description: 'The source reads at most this many of the latest sessions of a pin',
      unit: 'sessions',
      min: 1,
      max: 100_000,
    }),
    maxDistance: wholeSetting(10, {
      description: 'The source ignores pins that are further apart in a session than this',
      unit: 'steps',
      min: 1,
      max: 1_000,
    }),
    distanceExponent: numberSetting(0.5, {
      description: 'A pin at distance d counts 1/d to the power of this',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    backwardWeight: numberSetting(0.8, {
      description: 'Weight of pins that came before the looked-up pin, relative to pins that came after it',
      unit: 'weight',
      min: 0,
      max: 1000,
    }),
    rarityExponent: numberSetting(1, {
      description: 'Each pin counts log(sessions / sessions with the pin) to the power of this',
      unit: 'exponent',
      min: 0,
      max: 10,
    }),
    halfLifeMs: wholeSetting(60 * 86_400_000, {
      description:
        'A session counts half after this time, or sooner where the source has learned that a shorter time works better',
      unit: 'ms',
      min: 1,
      max: 3_650 * 86_400_000,
    }),
  },
  create: createCoOccurrence,
}

function createCoOccurrence({ board }: SharedViews, parameters: CoOccurrenceParameters): Source {
  const { maxRecentPins, historyDecay, maxSessionsPerPin } = parameters
  // If users read the news of this hour, yesterday's sessions predict little.
  const rules = [parameters.halfLifeMs, dayMs, 2 * hourMs].map((halfLifeMs) =>
    createRules(board, { ...parameters, halfLifeMs }),
  )
  const variants = createVariants(rules.length, (variant, query, hits) => {
    answer(rules[variant], query, hits, uninterrupted)
  })

  function answer(by: Rules | undefined, query: SourceQuery, hits: Hits, interruption: Interruption): void {
    if (by === undefined) return
    const { sessions, ownSession } = query.index
    const at = { sessions, atMs: query.atMs, ownSession, interruption }
    by.begin()
    let weight = 1
    for (const row of latestPins(query, maxRecentPins)) {
      by.add(row, weight, at)
      weight *= historyDecay
    }
    by.top(query, sessions, hits)
  }

  return {
    name: 'co-occurrence',
    scale: 'relative',
    reads: {
      list: 'sessions',
      maxPerPin: maxSessionsPerPin,
      pinsOf: (query) => latestPins(query, maxRecentPins),
    },
    startedFrom: (query) => latestPins(query, maxRecentPins),
    adaptation: variants,
    query: (query, hits, interruption) => answer(rules[variants.chosen], query, hits, interruption),
    bytes: () => 0,
    counts: () => ({ variant: variants.chosen }),
    save: variants.save,
    load: variants.load,
  }
}

function latestPins({ recentRows, recentCount }: SourceQuery, most: number): number[] {
  const pins: number[] = []
  for (let i = recentCount - 1; i >= 0 && pins.length < most; i--) {
    const row = recentRows[i]!
    if (!pins.includes(row)) pins.push(row)
  }
  return pins
}
