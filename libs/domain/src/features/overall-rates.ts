import type { Pin } from '../pin.ts'
import { scalarOver, type Feature } from './feature.ts'
import { createPositionRates, type PositionRates } from './memboost.ts'
import { totalsAt, totalsWidth } from './pin-totals.ts'
import { buckets } from './positions.ts'
import { rateDeviation, ratedActions, ratePriors, smoothedRate } from './rates.ts'

/** What one pin of the catalogue contributes to the rates of its topics and creator. */
export interface PinContribution extends Pick<Pin, 'topics' | 'creatorId'> {
  /** As `totalsOf` gives them. */
  readonly totals: Float64Array
}

/** Counts what all users did with the pins of each topic and creator, as the pins change. */
export interface OverallCounts {
  /** Replaces a pin's contribution; null: it has none. */
  replace(before: PinContribution | null, after: PinContribution | null): void
  /** The rates as of now. Valid until the next replacement. */
  rates(): OverallRates
  /** How many topics and creators have counts. */
  stats(): { readonly topics: number; readonly creators: number }
}

/** Creates empty counts. They are sums of whole numbers, so the order of replacements does not matter. A topic or creator without pins takes no memory. */
export function createOverallCounts(): OverallCounts {
  const all = new Float64Array(countsWidth)
  const topics = new Map<string, Float64Array>()
  const creators = new Map<string, Float64Array>()
  const positions = createPositionRates()
  let current: OverallRates | null = null
  const add = ({ topics: ofTopics, creatorId, totals }: PinContribution, sign: number): void => {
    addTotals(all, totals, sign)
    for (const topic of ofTopics) addTo(topics, topic, totals, sign)
    if (creatorId !== null) addTo(creators, creatorId, totals, sign)
  }
  return {
    replace(before, after) {
      current = null
      positions.replace(before?.totals ?? null, after?.totals ?? null)
      if (before !== null) add(before, -1)
      if (after !== null) add(after, 1)
    },
    rates: () => (current ??= new OverallRates(all, { topics, creators }, positions.rates())),
    stats: () => ({ topics: topics.size, creators: creators.size }),
  }
}

/** Totals of many pins, and the number of the pins. */
const pinsAt = totalsWidth
const countsWidth = totalsWidth + 1

function addTo(counts: Map<string, Float64Array>, id: string, totals: Float64Array, sign: number): void {
  const row = counts.get(id) ?? new Float64Array(countsWidth)
  addTotals(row, totals, sign)
  if (row[pinsAt] === 0) counts.delete(id)
  else counts.set(id, row)
}

function addTotals(row: Float64Array, totals: Float64Array, sign: number): void {
  for (let at = 0; at < totalsWidth; at++) row[at] = row[at]! + sign * totals[at]!
  row[pinsAt] = row[pinsAt]! + sign
}

/** Weight of each prior, in impressions: the rate of everything starts at `ratePriors`, a topic's at that rate, a creator's at its topics', a pin's at its creator's. */
const strengths = { all: 100, topic: 50, creator: 30, pin: 20 } as const

// Places in the numbers of a topic, creator or pin.
const shownAt = 0
const ratesAt = 1
const uncertaintyAt = ratesAt + ratedActions.length
const numbers = uncertaintyAt + 1
const saveRateAt = ratesAt + ratedActions.indexOf('save')

type Meta = Pick<Pin, 'topics' | 'creatorId'>

/** What all users did with one pin, see `PinReading`. */
interface Acts {
  acts(action: number): number
  actsAfterShown(action: number): number
  weightedImpressions(weights: Float64Array): number
}

/**
 * How often all users act on pins: on any, on those of a topic, on those of a creator, and on one pin, each smoothed towards the one
 * before. An impression weighs as much as users act at its position, 1 on average, so that pins from the end of the page
 * do not look worse than they are. Actions on pins that were not shown do not count, unless nobody reports impressions: then an action counts as
 * an impression too.
 */
export class OverallRates {
  readonly #topics: ReadonlyMap<string, Float64Array>
  readonly #creators: ReadonlyMap<string, Float64Array>
  /** Weight of an impression, by bucket of positions. */
  readonly #weights: Float64Array
  readonly #all = new Float64Array(numbers)
  // The pin that was asked about last, because a page reads many numbers of one pin in a row.
  #meta: Meta | null = null
  #reading: Acts | null = null
  readonly #topic = new Float64Array(numbers)
  readonly #creator = new Float64Array(numbers)
  readonly #pin = new Float64Array(numbers)
  readonly #acted = new Float64Array(ratedActions.length)
  /** Whether anybody reports impressions. */
  readonly #isShown: boolean

  constructor(
    all: Float64Array,
    counts: {
      readonly topics: ReadonlyMap<string, Float64Array>
      readonly creators: ReadonlyMap<string, Float64Array>
    },
    positionRates: PositionRates,
  ) {
    this.#topics = counts.topics
    this.#creators = counts.creators
    this.#weights = weightsOf(all, positionRates)
    this.#isShown = all.subarray(totalsAt.impressions, totalsAt.impressions + buckets).some((count) => count > 0)
    this.#all.set(ratePriors, ratesAt)
    this.#write(this.#all, this.#take(all), { prior: this.#all, strength: strengths.all })
    this.#readMeta(null)
  }

  /** The rate of an action (its index in `ratedActions`) over all pins. */
  rate(action: number): number {
    return this.#all[ratesAt + action]!
  }

  /** A number of the pin's topics. */
  topic(meta: Meta | null, at: number): number {
    if (this.#meta !== meta) this.#readMeta(meta)
    return this.#topic[at]!
  }

  /** A number of the pin's creator. */
  creator(meta: Meta | null, at: number): number {
    if (this.#meta !== meta) this.#readMeta(meta)
    return this.#creator[at]!
  }

  /** A number of the pin itself; `reading` null: no user has engaged with it. */
  pin(meta: Meta | null, reading: Acts | null, at: number): number {
    if (this.#meta !== meta) this.#readMeta(meta)
    if (this.#reading !== reading) this.#readPin(reading)
    return this.#pin[at]!
  }

  #readMeta(meta: Meta | null): void {
    this.#meta = meta
    const topics = meta?.topics ?? []
    let shown = 0
    this.#acted.fill(0)
    for (const topic of topics) shown += this.#take(this.#topics.get(topic))
    this.#write(this.#topic, shown, { prior: this.#all, strength: strengths.topic, topics: topics.length })
    this.#acted.fill(0)
    const ofCreator = meta === null || meta.creatorId === null ? undefined : this.#creators.get(meta.creatorId)
    this.#write(this.#creator, this.#take(ofCreator), { prior: this.#topic, strength: strengths.creator })
    this.#readPin(null)
  }

  #readPin(reading: Acts | null): void {
    this.#reading = reading
    this.#acted.fill(0)
    let shown = 0
    if (reading !== null) {
      shown = reading.weightedImpressions(this.#weights)
      for (let at = 0; at < ratedActions.length; at++) {
        this.#acted[at] = this.#isShown ? reading.actsAfterShown(at) : reading.acts(at)
        shown = Math.max(shown, this.#acted[at]!)
      }
    }
    this.#write(this.#pin, shown, { prior: this.#creator, strength: strengths.pin })
  }

  /** Adds actions to `#acted` and returns the impressions; an action without an impression counts as one. */
  #take(counts: Float64Array | undefined): number {
    if (counts === undefined) return 0
    let shown = 0
    for (let bucket = 0; bucket < buckets; bucket++)
      shown += this.#weights[bucket]! * counts[totalsAt.impressions + bucket]!
    const from = this.#isShown ? totalsAt.actedAfterShown : totalsAt.acted
    for (let at = 0; at < ratedActions.length; at++) {
      const acted = counts[from + at]!
      this.#acted[at] = this.#acted[at]! + acted
      shown = Math.max(shown, acted)
    }
    return shown
  }

  /** Writes the numbers from `#acted`. Several topics are pooled, so each weighs as much as its impressions and its prior. */
  #write(out: Float64Array, shown: number, { prior, strength, topics = 1 }: Smoothing): void {
    const count = Math.max(1, topics)
    for (let at = 0; at < ratedActions.length; at++)
      out[ratesAt + at] = smoothedRate(this.#acted[at]!, shown, prior[ratesAt + at]!, strength * count)
    out[shownAt] = shown / count
    out[uncertaintyAt] = rateDeviation(out[saveRateAt]!, out[shownAt], strength)
  }
}

interface Smoothing {
  readonly prior: Float64Array
  readonly strength: number
  readonly topics?: number
}

/** The rates before any user has engaged with a pin. */
export const noOverallRates: OverallRates = createOverallCounts().rates()

/** The position rates, relative to their mean over all impressions; 1 everywhere without impressions. */
function weightsOf(all: Float64Array, positionRates: PositionRates): Float64Array {
  let shown = 0
  let expected = 0
  for (let bucket = 0; bucket < buckets; bucket++) {
    shown += all[totalsAt.impressions + bucket]!
    expected += all[totalsAt.impressions + bucket]! * positionRates[bucket]!
  }
  return positionRates.map((rate) => (expected === 0 ? 1 : (rate * shown) / expected))
}

/** The context of these features. */
interface OverallContext {
  readonly overall: OverallRates
  readonly pin: Acts | null
  readonly pinMeta: Meta | null
}

const scalar = scalarOver<OverallContext>()

/** What all users do: on any pin, on the pins of the topics and of the creator, and on this pin; see `OverallRates`. */
export const overallRateFeatures: readonly Feature<OverallContext>[] = [
  ...ratedActions.map((action, at) =>
    scalar({
      name: `overall_${action}_rate`,
      unit: 'probability',
      missing: ratePriors[at]!,
      needs: [],
      of: 'request',
      value: ({ overall }) => overall.rate(at),
    }),
  ),
  ...of('topic_overall', ({ overall, pinMeta }, at) => overall.topic(pinMeta, at)),
  ...of('creator_overall', ({ overall, pinMeta }, at) => overall.creator(pinMeta, at)),
  ...of('pin_smoothed', ({ overall, pin, pinMeta }, at) => overall.pin(pinMeta, pin, at)),
]

function of(name: string, read: (context: OverallContext, at: number) => number): readonly Feature<OverallContext>[] {
  const number = (suffix: string, at: number, unit: string, missing: number): Feature<OverallContext> =>
    scalar({ name: `${name}_${suffix}`, unit, missing, needs: [], value: (context) => read(context, at) })
  return [
    number('impressions', shownAt, 'weighted impressions', 0),
    ...ratedActions.map((action, at) => number(`${action}_rate`, ratesAt + at, 'probability', ratePriors[at]!)),
    number('save_uncertainty', uncertaintyAt, 'standard deviation of a probability', 0),
  ]
}
