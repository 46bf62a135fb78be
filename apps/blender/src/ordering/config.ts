import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

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

/** How feeds are ordered. Each request can have its own values. */
export const orderingSchema = z
  .strictObject({
    pool: wholeSetting(200, {
      description: 'The steps choose from this many of the best pins. The others follow by utility',
      unit: 'pins',
      min: 1,
      max: 500,
    }),
    pages: numberSetting(2, {
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
        source: spacedClass('source', { weight: 0, window: 3 }),
      })
      .prefault({}),
    caps: z
      .strictObject({
        creator: cappedClass('creator', { most: 3, window: 25 }),
        topic: cappedClass('topic', { most: 15, window: 25 }),
        cluster: cappedClass('cluster of similar embeddings', { most: 25, window: 25 }),
      })
      .prefault({}),
  })
  .prefault({})

/** What `orderingSchema` parses to. */
export type OrderingConfig = z.output<typeof orderingSchema>
