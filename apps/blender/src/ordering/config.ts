import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

const hourMs = 3_600_000

const spreads = 'standard deviations'

function spacedClass(kind: string, { weight, window }: { readonly weight: number; readonly window: number }) {
  return z
    .strictObject({
      weight: numberSetting(weight, {
        description: `Penalty of a pin right after another of the same ${kind}, in standard deviations of the utilities of the pool. At distance d it is this / d; 0: none`,
        unit: spreads,
        min: 0,
        max: 100,
      }),
      window: wholeSetting(window, {
        description: `Pins of the same ${kind} count up to this distance`,
        unit: 'places',
        min: 1,
        max: 100,
      }),
    })
    .prefault({})
}

function cappedClass(kind: string, { most, window }: { readonly most: number; readonly window: number }) {
  return z
    .strictObject({
      most: wholeSetting(most, {
        description: `At most this many pins of one ${kind} within the window. A value not below the window: no cap`,
        unit: 'pins',
        min: 1,
        max: 1_000,
      }),
      window: wholeSetting(window, { description: 'Length of the window', unit: 'places', min: 2, max: 200 }),
    })
    .prefault({})
}

const diversity = z
  .strictObject({
    method: z.enum(['ssd', 'mmr', 'none']).default('ssd').meta({
      description:
        'How pins unlike those above them come first. `ssd`: sliding spectrum decomposition; `mmr`: maximal marginal relevance; `none`: not at all',
    }),
    weight: numberSetting(0.3, {
      description: 'Penalty of a pin that adds nothing new, in standard deviations of the utilities of the pool',
      unit: spreads,
      min: 0,
      max: 100,
    }),
    window: wholeSetting(8, {
      description: 'A pin is compared with this many pins above it',
      unit: 'places',
      min: 1,
      max: 50,
    }),
  })
  .prefault({})

function decayOf(kind: string, decay: number) {
  return numberSetting(decay, {
    description: `For each pin of the same ${kind} that the user was shown, what a utility has above the least of the pool is multiplied by this; 1: no fatigue`,
    unit: 'factor',
    min: 0.01,
    max: 1,
  })
}

const fatigue = z
  .strictObject({
    floor: numberSetting(0.4, {
      description: 'Fatigue multiplies by no less than this; 1: no fatigue',
      unit: 'factor',
      min: 0,
      max: 1,
    }),
    creatorDecay: decayOf('creator', 0.95),
    topicDecay: decayOf('topic', 0.99),
    clusterDecay: decayOf('cluster of similar embeddings', 1),
    halfLifeMs: wholeSetting(3 * hourMs, {
      description: 'A pin that was served this long ago counts half. Pins served before `servedWindowMs` do not count',
      unit: 'ms',
      min: 1_000,
      max: 720 * hourMs,
    }),
    maxPins: wholeSetting(200, {
      description: 'Only this many of the last served pins count',
      unit: 'pins',
      min: 0,
      max: 2_000,
    }),
  })
  .prefault({})

const shareOfPage = { min: 0, max: 1, unit: 'share' }

const mixing = z
  .strictObject({
    maxRun: wholeSetting(0, {
      description: 'At most this many pins in a row have the same main source; 0: any number',
      unit: 'pins',
      min: 0,
      max: 100,
    }),
    groups: z
      .array(
        z.strictObject({
          sources: z.array(z.string()),
          min: z.number().min(0).max(1).default(0),
          max: z.number().min(0).max(1).default(1),
        }),
      )
      .max(16)
      .default([])
      .meta({
        description:
          'Shares of the page for groups of sources, such as `[{"sources": ["trending"], "min": 0.1, "max": 0.3}]`. The main source of a pin is the one that ranked it best',
      }),
    broad: z
      .strictObject({
        sources: z
          .array(z.string())
          .default(['popularity', 'trending'])
          .meta({ description: 'Sources that know little about the user' }),
        share: numberSetting(0, {
          ...shareOfPage,
          description: 'Least share of the page for these sources, once enough is known about the user',
        }),
        shareAtStart: numberSetting(0, {
          ...shareOfPage,
          description: 'The same for a user about whom nothing is known',
        }),
      })
      .prefault({}),
  })
  .prefault({})

const freshFloor = z
  .strictObject({
    share: numberSetting(0, {
      ...shareOfPage,
      description: 'Least share of the page for new pins, if the pool has so many that caps and mixing allow',
    }),
    maxAgeMs: wholeSetting(48 * hourMs, {
      description: 'A pin is new for this long after it was created',
      unit: 'ms',
      min: 1_000,
      max: 8_760 * hourMs,
    }),
    holdOutShare: numberSetting(0.1, {
      ...shareOfPage,
      description: 'The new pins of this share of the creators are never lifted, so that the effect can be measured',
    }),
    holdOutSalt: z.string().max(64).default('1').meta({ description: 'Another text holds out other creators' }),
    action: z
      .string()
      .default('save')
      .meta({ description: 'New pins are drawn by their probability of this action, as the ranker predicts it' }),
    priorMean: numberSetting(0.02, {
      description: 'The probability of a new pin that the ranker did not score',
      unit: 'probability',
      min: 0,
      max: 1,
    }),
    priorStrength: numberSetting(20, {
      description: 'The probability of a new pin is believed as if it came from this many impressions',
      unit: 'impressions',
      min: 0.001,
      max: 1_000_000,
    }),
  })
  .prefault({})

const draw = z
  .strictObject({
    share: numberSetting(0, {
      ...shareOfPage,
      description:
        'Share of the page sessions whose order is drawn at random near the usual order, with its probabilities recorded',
    }),
    temperature: numberSetting(0.3, {
      description:
        'How far a drawn order departs from the usual one, in standard deviations of the utilities of the pool',
      unit: spreads,
      min: 0.001,
      max: 100,
    }),
  })
  .prefault({})

/** How feeds are ordered. Each request can have its own values. */
export const orderingSchema = z
  .strictObject({
    pool: wholeSetting(200, {
      description: 'The steps choose from this many of the best pins. Pins outside the pool follow by utility',
      unit: 'pins',
      min: 1,
      max: 500,
    }),
    poolTopicShare: numberSetting(0.5, {
      description:
        'At most this part of the pool has the same first topic, if there are pins of other topics. Related pins: no limit',
      unit: 'share',
      min: 0.01,
      max: 1,
    }),
    evidence: z
      .strictObject({
        halfActions: numberSetting(5, {
          description:
            'With this many recent closeups, clicks and saves, half is known about the taste of a user: n actions count n / (n + this)',
          unit: 'actions',
          min: 0.1,
          max: 10_000,
        }),
        fullDwellMs: wholeSetting(3_000, {
          description: 'A closeup or click of a shorter look counts as a part of an action',
          unit: 'ms',
          min: 1,
          max: 600_000,
        }),
      })
      .prefault({}),
    fatigue,
    pages: numberSetting(1, {
      description:
        'The steps fill the places of this many pages, and `lookAhead` more. Below them the order is by utility',
      unit: 'pages',
      min: 1,
      max: 20,
    }),
    lookAhead: wholeSetting(20, {
      description: 'Diversity and spacing move no pin further than this, each. Caps may: they take any pin of the pool',
      unit: 'places',
      min: 0,
      max: 200,
    }),
    diversity,
    spacing: z
      .strictObject({
        creator: spacedClass('creator', { weight: 0.3, window: 5 }),
        topic: spacedClass('topic', { weight: 0.1, window: 3 }),
        cluster: spacedClass('cluster of similar embeddings', { weight: 0, window: 3 }),
        board: spacedClass('board', { weight: 0, window: 3 }),
        source: spacedClass('source', { weight: 0, window: 3 }),
      })
      .prefault({}),
    caps: z
      .strictObject({
        creator: cappedClass('creator', { most: 3, window: 25 }),
        topic: z
          .strictObject({
            most: wholeSetting(15, {
              description: 'At most this many pins of one topic within the window, once enough is known about the user',
              unit: 'pins',
              min: 1,
              max: 1_000,
            }),
            mostAtStart: wholeSetting(10, {
              description: 'The same for a user about whom nothing is known',
              unit: 'pins',
              min: 1,
              max: 1_000,
            }),
            window: wholeSetting(25, { description: 'Length of the window', unit: 'places', min: 2, max: 200 }),
          })
          .prefault({}),
        cluster: cappedClass('cluster of similar embeddings', { most: 25, window: 25 }),
        board: cappedClass('board', { most: 25, window: 25 }),
      })
      .prefault({}),
    mixing,
    freshFloor,
    draw,
  })
  .prefault({})

/** What `orderingSchema` parses to. */
export type OrderingConfig = z.output<typeof orderingSchema>
